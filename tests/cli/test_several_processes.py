"""``--num-processes`` trains in several processes that speak with one voice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from restore.core.runtime import launching
from restore.core.runtime.launching import Outcome

SMALL = [
    *("--epochs", "2", "--samples-per-epoch", "8", "--batch-size", "4", "--crop-size", "16"),
    *("--model.blocks", "1", "--model.channels", "4", "--discriminator.channels", "4", "--perceptual.weight", "0"),
    *("--precision", "fp32", "--sample-images", "0"),
]


def train(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "restore.cli", "train", "srgan", *SMALL, "--out", str(out), *arguments]
    without_gpu = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, capture_output=True, text=True, timeout=280, env=without_gpu)


def test_two_processes_train_and_only_the_main_one_speaks(tmp_path: Path) -> None:
    done = train(tmp_path, "--num-processes", "2", "--name", "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Finished") == 1
    assert (
        "on cpu in fp32, 2 processes" in done.stdout
    )  # together; without GPUs too, and without being told to use the CPU
    assert [folder.name for folder in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run" / "best.safetensors").is_file()


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (Outcome(2, "rank one broke", 1), "Error: rank one broke\n"),
        (
            Outcome(1, None, 1),
            "Error: process 1 of 2 was killed from outside, possibly for lack of memory",
        ),
    ],
)
def test_what_one_of_several_processes_fails_of_is_said_once(
    restore: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, ended: Outcome, said: str
) -> None:
    started: list[tuple[list[str], int]] = []
    monkeypatch.setattr(launching, "launch", lambda command, count: started.append((command, count)) or ended)
    typed = ["train", "grow-flowers", "--num-processes", "2"]
    monkeypatch.setattr(sys, "argv", ["restore", *typed])
    done = restore(*typed)
    assert started == [([sys.executable, "-m", "restore.cli", *typed], 2)]
    assert done.exit_code == ended.status
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_processes_that_cannot_share_a_batch_are_not_started(
    restore: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "launch", lambda *_: pytest.fail("started"))
    done = restore("train", "grow-flowers", "--num-processes", "3")
    assert done.exit_code == 2
    assert done.stderr.count("--batch-size 4 cannot be split equally among 3 processes") == 1
