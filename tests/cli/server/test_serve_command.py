"""``restore serve`` on the command line."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from restore.cli.app import app


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        app(["serve", *words])
    return int(left.value.code or 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "0.0.0.0"], "Choose a secret of at least 16 characters with --token"),
        (["--host", "::", "--token", "short"], "--token: expected at least 16"),
        (["--token", "short"], "--token: expected at least 16"),
        (["no-such-model"], "no run, weights or classical method is called 'no-such-model'"),
        (["srgan"], "srgan needs trained weights"),
        (["--port", "70000"], "'--port': "),  # Typer's own words, which differ between its versions
        (["bicubic", "--device", "cuda:99"], "--device cuda:99"),
        (["bicubic", "--device", "cpu", "--runs", "nowhere"], "--runs nowhere: no such folder; make it first"),
        (["bicubic", "--device", "cpu", "--data", ".", "--data", "./"], "--data .: this folder is given twice"),
        (["bicubic", "--host", "no.such.host.invalid", "--token", "x" * 16], "--host no.such.host.invalid"),
    ],
)
def test_wrong_usage_is_one_message(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RESTORE_TOKEN", raising=False)
    assert run(*words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_a_port_in_use_is_said(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run("bicubic", "--port", str(port)) == 2
    assert f"--port {port}: Address already in use; choose another --port" in capsys.readouterr().err


SIGNALS = [
    (signal.SIGINT, 0, "Stopped.\n"),
    pytest.param(signal.SIGTERM, 143, "", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("number", "status", "last"), SIGNALS)
def test_it_prints_its_address_and_leaves_nothing_when_it_is_stopped(tmp_path, number, status, last):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "restore.cli", "serve", "bicubic", "--port", "0", "--device", "cpu"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    environment.pop("RESTORE_TOKEN", None)
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # A shell that starts something in the background lets it ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as server:  # fmt: skip
        assert server.stdout is not None
        assert server.stderr is not None
        assert server.stdout.readline() == "restore serves 1 model on cpu.\n"
        found = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+)/#token=([\w-]{32})\n", server.stdout.readline())
        assert found is not None
        assert server.stdout.readline() == "Stop with Ctrl-C.\n"
        request = urllib.request.Request(f"{found[1]}/api/models", headers={"Authorization": f"Bearer {found[2]}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
        server.send_signal(number)
        assert server.stdout.read() == last
        assert server.stderr.read() == ""
        assert server.wait(30) == status
    assert list(temporary.glob("restore-serve-*")) == []
    assert list(Path(tmp_path).iterdir()) == [temporary]
