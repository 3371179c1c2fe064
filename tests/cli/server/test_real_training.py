"""A training of the page with the real command: stopped, resumed, and ended by the end of the server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from restore.core.runs.record import read_run

pytestmark = pytest.mark.slow

SMALL = {
    "model.architecture": "srgan/compact",
    "model.channels": "4",
    "model.blocks": "1",
    "perceptual.weight": "0",
    "adversarial.epochs": "0",
    "crop_size": "16",
    "batch_size": "2",
    "samples_per_epoch": "4",
    "precision": "fp32",
    "device": "cpu",
    "sample_images": "1",
}


class Server:
    """``restore serve`` as a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        process.stdout.readline()
        found = re.fullmatch(r"Open (\S+)/#token=(\S+)\n", process.stdout.readline())
        assert found is not None
        self.url, self.token = found.groups()

    def ask(self, path: str, **fields: str):
        """Return an answer; fields are sent as a form."""
        body, headers = None, {"Authorization": f"Bearer {self.token}"}
        if fields:
            parts = (f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
            body = ("".join(parts) + "--b--\r\n").encode()
            headers["Content-Type"] = "multipart/form-data; boundary=b"
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=60) as answer:
            return json.loads(answer.read())

    def wait_for(self, path: str, condition):
        """Return an answer for which a condition holds."""
        end = time.monotonic() + 240
        while True:
            found = self.ask(path)
            if condition(found):
                return found
            assert time.monotonic() < end, found
            time.sleep(0.1)


@contextmanager
def serving(folder: Path):
    command = [sys.executable, "-m", "restore.cli", "serve", "bicubic", "--port", "0", "--device", "cpu"]
    (folder / "runs").mkdir(exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*command, "--runs", "runs"], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        yield Server(process)
        if process.poll() is None:
            process.terminate()


def trained(state):
    """Return whether the one run has begun its second epoch."""
    return any(run["epochs"] >= 2 for run in state["runs"])


def test_a_training_is_stopped_resumed_and_ended_with_the_server(tmp_path):
    with serving(tmp_path) as server:
        server.ask("/api/train/srgan", name="mine", epochs="500", **SMALL)
        server.wait_for("/api/runs", trained)
        assert server.ask("/api/health") == {"status": "ok"}
        server.process.send_signal(signal.SIGINT)
        assert server.process.stdout is not None
        last = server.process.stdout.read()
        assert server.process.wait(60) == 0
    assert "Waiting until 1 training saved a checkpoint" in last
    assert last.endswith("Stopped.\n")
    run = read_run(tmp_path / "runs" / "mine")
    assert (run.state, run.ending, run.end["saved"]) == ("stopped", "interrupted", True)
    step = run.end["step"]

    with serving(tmp_path) as server:
        (listed,) = server.ask("/api/runs")["runs"]
        assert (listed["state"], listed["ending"], listed["report"]) == ("stopped", "interrupted", True)
        training = server.ask("/api/runs/runs:mine/resume", epochs=str(listed["epochs"] + 1))
        path = f"/api/trainings/{training['id']}"
        ended = server.wait_for(path, lambda found: found["state"] not in ("waiting", "running"))
        assert ended["state"] == "finished", ended
        (listed,) = server.ask("/api/runs")["runs"]
        assert listed["state"] == "finished"
    assert read_run(tmp_path / "runs" / "mine").end["step"] > step


def test_a_training_saves_a_checkpoint_and_ends_when_its_server_is_killed(tmp_path):
    with serving(tmp_path) as server:
        server.ask("/api/train/srgan", name="mine", epochs="500", **SMALL)
        server.wait_for("/api/runs", trained)
        server.process.kill()
        end = time.monotonic() + 120
        while read_run(tmp_path / "runs" / "mine").state == "running":
            assert time.monotonic() < end
            time.sleep(0.1)
    run = read_run(tmp_path / "runs" / "mine")
    assert (run.ending, run.end["saved"]) == ("interrupted", True)
