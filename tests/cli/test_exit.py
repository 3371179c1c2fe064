"""Every way in which a command can end."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
from pathlib import Path

import pytest
import typer

from restore import registry
from restore.cli import main
from restore.cli.exit import debug_enabled, print_error, run_command, strip_debug_flag
from restore.core.atomic import atomic_write
from restore.core.errors import DataError, Interrupted, RestoreError, UsageError


def raising(error):
    """A command that fails."""

    def run():
        raise error

    return run


class OutOfMemoryError(RuntimeError):
    """Called as torch's own is."""


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RestoreError("it failed"), 1, "Error: it failed"),
        (DataError("damaged"), 1, "Error: damaged"),
        (UsageError("wrong"), 2, "Error: wrong"),
        (Interrupted("stopped", "runs/x"), 130, "stopped"),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (RuntimeError("gloo/pair.cc:525: Connection closed by peer"), 1, "Error: RuntimeError: gloo/pair.cc:525"),
        (registry.UnknownName("nothing"), 2, "Error: nothing"),
        (registry.MissingReference("gone"), 1, "Error: gone"),
        (typer.BadParameter("odd"), 2, "Error: Invalid value: odd"),
        (typer.Abort(), 1, "Error: Aborted."),
        (MemoryError(), 1, "Error: Out of memory (no further message).\nTraining: lower --batch-size"),
        (OutOfMemoryError("CUDA out of memory"), 1, "Error: Out of memory (CUDA out of memory)"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1, "Error: Out of memory"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/a"), 1, "Error: No space left on device: runs/a\nFree"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 1, "Error: Permission denied: /x\nChoose another"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "Error: ZeroDivisionError: division by zero\nThis is a bug",
        ),
    ],
)
def test_an_error_is_a_message_and_a_status(capsys, error, status, message):
    assert run_command(raising(error)) == status
    said = capsys.readouterr()
    assert said.err.startswith(message)
    assert said.out == ""
    assert "Traceback" not in said.err


def test_debug_shows_the_traceback_before_the_message(capsys):
    assert run_command(raising(DataError("damaged")), debug=True) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last)")
    assert said.rstrip().endswith("Error: damaged")


@pytest.mark.parametrize(("ended", "status"), [(None, 0), (0, 0), (3, 3), ("text", 0), (True, 1)])
def test_what_a_command_returns_is_its_status_only_if_it_is_one(ended, status):
    assert run_command(lambda: ended) == status


@pytest.mark.parametrize(("code", "status"), [(None, 0), (2, 2), ("a message", 1)])
def test_a_command_that_leaves_early_keeps_its_status(code, status):
    assert run_command(raising(SystemExit(code))) == status


def test_ctrl_c_inside_typer_says_so(capsys):
    assert run_command(lambda: 130) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_ctrl_c_in_one_of_several_processes_is_left_to_the_launcher_to_say(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("RESTORE_FAILURE_FOLDER", str(tmp_path))
    monkeypatch.setenv("RANK", "1")
    assert run_command(lambda: 130) == 130
    assert capsys.readouterr().err == ""
    report = json.loads((tmp_path / "1.json").read_text())
    assert (report["status"], report["message"]) == (130, "Interrupted.")


def test_a_command_knows_that_it_is_debugged():
    seen = []
    run_command(lambda: seen.append(debug_enabled()), debug=True)
    run_command(lambda: seen.append(debug_enabled()))
    assert seen == [True, False]


def test_debug_is_taken_from_anywhere_but_behind_a_double_dash():
    assert strip_debug_flag(["train", "--debug", "x"]) == (["train", "x"], True)
    assert strip_debug_flag(["train", "x", "--debug", "--", "--debug"]) == (["train", "x", "--", "--debug"], True)
    assert strip_debug_flag(["train", "--", "--debug"]) == (["train", "--", "--debug"], False)


def test_debug_works_for_every_command(restore):
    result = restore("train", "no-reference", "--debug")
    assert result.exit_code == 1
    assert "Traceback (most recent call last)" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="pipes close otherwise there")
def test_a_reader_that_leaves_early_is_not_complained_about(restore_process):
    code = (
        "import os, sys\n"
        "reading, writing = os.pipe()\n"
        "os.close(reading)\n"
        "os.dup2(writing, 1)\n"
        "from restore.cli import main\n"
        "sys.argv = ['restore', 'list-plugins']\n"
        "main()\n"
    )
    result = restore_process(code=code)
    assert result.stderr == ""
    assert result.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Unix device")
def test_output_that_nothing_holds_is_a_failure(restore_process):
    code = "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); import sys; from restore.cli import main; main()"
    result = restore_process("list-plugins", code=code)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: No space left on device")


@pytest.mark.parametrize(("closed", "arguments", "status"), [(1, ["list-plugins"], 0), (2, ["train", "nope"], 2)])
def test_a_closed_stream_changes_no_status(restore_process, closed, arguments, status):
    code = f"import sys; sys.{'stdout' if closed == 1 else 'stderr'} = None; from restore.cli import main; main()"
    assert restore_process(*arguments, code=code).returncode == status


def test_the_status_reaches_the_shell(restore_process):
    assert restore_process("list-plugins").returncode == 0
    assert restore_process("list-plugins", "--strict").returncode == 1
    wrong = restore_process("train", "grow-flowers", "--epochs", "none")
    assert wrong.returncode == 2
    assert "--epochs: should be a valid integer (got none, from the command line)" in wrong.stderr
    assert "\x1b" not in wrong.stderr  # plain where it is no terminal


def test_ctrl_c_before_the_command_line_is_read_leaves_no_traceback(monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("restore.cli.app.app", interrupted)
    with pytest.raises(SystemExit) as leaving:
        main()
    assert leaving.value.code == 130


def test_a_process_that_lost_another_lets_that_one_speak(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert run_command(raising(RuntimeError("[gloo/pair.cc:525] Connection closed by peer [127.0.0.1]:9"))) == 1
    assert capsys.readouterr().err == "Error: Another process of this run failed; its message gives the reason.\n"
    assert run_command(raising(ValueError("of its own"))) == 1
    assert "ValueError: of its own" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="there are no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_command_removes_its_half_written_file(tmp_path, number):
    def write():
        with atomic_write(tmp_path / "out.png") as temporary:
            temporary.write_bytes(b"half")
            os.kill(os.getpid(), number)
            time.sleep(10)

    assert run_command(write) == 128 + number
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_files_say_cannot_flood_or_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/" + "/".join(["folder" * 20] * 15)
    print_error(f"no architecture is called '{'a' * 100_000}' or '\x1b[31m{chr(7) * 9000}': {path}: leave it out")
    said = capsys.readouterr().err
    assert len(said) < 3000
    assert f"{'a' * 100}" in said
    assert "(100,002 letters) or '\\x1b[31m\\x07" in said
    assert said.endswith(f"{path}: leave it out\n")
