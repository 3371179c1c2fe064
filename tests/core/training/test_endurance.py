"""Long runs, sudden deaths and full disks, for real: ``pytest -m slow tests/core/training/test_endurance.py``."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from toy_tasks import TwoPhases, toy_settings

from restore.core.errors import RestoreError
from restore.core.events import Event, StepDone
from restore.core.runs.checkpoints import Checkpoint, load_newest, save
from restore.core.training.trainer import Trainer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

KILLS = 200


def checkpoint(step: int) -> Checkpoint:
    """Two megabytes whose content is known."""
    return Checkpoint({"networks": {f"net.{i}": torch.full((64, 1024), float(step)) for i in range(8)}}, {"step": step})


def save_for_ever(folder: Path, step: int) -> None:
    while True:
        step += 1
        save(folder, step, checkpoint(step), keep=2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="killing a process in the middle of a write needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_killed_in_the_middle_of_a_checkpoint_there_is_always_one_to_load(tmp_path: Path) -> None:
    rng = random.Random(0)
    save(tmp_path, 0, checkpoint(0), keep=2)
    step, unfinished = 0, 0
    for _ in range(KILLS):
        child = os.fork()
        if child == 0:
            save_for_ever(tmp_path, step)
        time.sleep(rng.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        unfinished += bool(list(tmp_path.glob(".writing-*")))
        _, found = load_newest(tmp_path, damaged=pytest.fail)
        assert found.state["step"] >= step
        step = found.state["step"]
        assert all((tensor == step).all() for tensor in found.tensors["networks"].values())
    assert unfinished > KILLS / 4, "too few kills came while something was being written"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_a_disk_that_fills_up_keeps_the_last_checkpoint(small_disk: Path) -> None:
    save(small_disk, 1, checkpoint(1), keep=1)
    (small_disk / "ballast").write_bytes(b"\0" * (4 * 1024 * 1024 + 512 * 1024))
    for step in range(2, KILLS + 2):
        with pytest.raises(RestoreError, match="the disk is full"):
            save(small_disk, step, checkpoint(step), keep=1)
        assert load_newest(small_disk, damaged=pytest.fail)[1].state == {"step": 1}
    (small_disk / "ballast").unlink()
    save(small_disk, 300, checkpoint(300), keep=1)
    assert load_newest(small_disk, damaged=pytest.fail)[1].state == {"step": 300}


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_over_ten_thousand_steps(tmp_path: Path) -> None:
    seen: dict[int, int] = {}

    def listener(event: Event) -> None:
        if isinstance(event, StepDone) and event.run_step % 1000 == 0:
            seen[event.run_step] = resident()

    settings = toy_settings(
        tmp_path, epochs=20, first_epochs=2, samples_per_epoch=2000, ema=0.99, evaluate_every=5, batch_size=4
    )
    Trainer(TwoPhases, settings, name="toy/toy", listeners=[listener]).fit()
    assert max(seen) == 10_000
    assert seen[10_000] - seen[3000] < 20 * 2**20, {step: size // 2**20 for step, size in seen.items()}


def test_a_few_real_kills_resume_bit_for_bit() -> None:
    script = Path(__file__).parents[3] / "benchmarks" / "kill_and_resume.py"
    done = subprocess.run([sys.executable, str(script), "--kills", "2"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of 10 resumed runs differ" in done.stdout
