"""``--num-processes`` trains in several processes that speak with one voice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def test_what_several_processes_fail_of_is_said_once(tmp_path: Path) -> None:
    done = train(tmp_path, "--num-processes", "3")
    assert done.returncode == 2
    assert done.stderr.count("cannot be split equally among 3 processes") == 1
    assert "Traceback" not in done.stderr
