"""Nothing that is printed inside gets out, and everything is as before afterwards."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from restore.registry.capture_output import capture_output


def test_what_python_writes_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with capture_output() as captured:
        print("one")
        sys.stderr.write("two")
        sys.stdout.buffer.write(b" \xff")
    assert captured() == "one\ntwo \N{REPLACEMENT CHARACTER}"
    assert capfd.readouterr() == ("", "")


def test_what_goes_straight_to_the_descriptors_is_lost(capfd: pytest.CaptureFixture[str]) -> None:
    with capture_output():
        os.write(1, b"one")
        subprocess.run(["echo", "two"], check=True)
    assert capfd.readouterr() == ("", "")


def test_what_was_buffered_before_comes_out_and_what_is_printed_later_too(capfd: pytest.CaptureFixture[str]) -> None:
    stream = os.fdopen(os.dup(1), "w")
    sys.stdout.write("before ")
    with capture_output():
        print("inside")
    sys.stdout.write("after")
    sys.stdout.flush()
    stream.close()
    assert capfd.readouterr().out == "before after"


def test_streams_are_restored_whatever_was_done_to_them() -> None:
    before = sys.stdout, sys.stderr
    written = []

    def misbehave() -> None:
        with capture_output() as captured:
            written.append(captured)
            sys.stdout.close()
            sys.stdout = None  # type: ignore[assignment]
            raise SystemExit

    with pytest.raises(SystemExit):
        misbehave()
    assert (sys.stdout, sys.stderr) == before
    assert written[0]() == ""


def test_a_handler_that_was_made_inside_can_be_used_afterwards() -> None:
    with capture_output() as captured:
        handler = logging.StreamHandler()
    handler.emit(logging.makeLogRecord({"msg": "late"}))
    assert captured() == "late\n"


def test_closed_streams_and_descriptors_are_no_obstacle() -> None:
    code = (
        "import os, sys; from restore.registry.capture_output import capture_output\n"
        "os.close(1); sys.stdout = None\n"
        "with capture_output() as captured: print('inside')\n"
        "sys.stderr.write(captured())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "inside\n")
