"""Processes that load data live no longer than the run that they load it for."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from toy_tasks import Noise, TwoPhases, toy_settings

from restore.core.dataset import as_dataset
from restore.core.events import Event, StepDone
from restore.core.runtime import processes
from restore.core.training.dataloading import MicroBatchSampler, make_loader, make_plan
from restore.core.training.trainer import Trainer


class Stopped(Exception):
    """Raised in the middle of an epoch."""


def stop(event: Event) -> None:
    if isinstance(event, StepDone) and event.run_step == 3:
        raise Stopped


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.disable()  # it may come too late: at the exit of the interpreter torch complains of workers that are ended
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("listeners", [[], [stop]], ids=["done", "stopped"])
def test_workers_end_with_the_run(listeners: list[object], tmp_path: Path) -> None:
    run = toy_settings(tmp_path, epochs=2, workers=1)
    trainer = Trainer(TwoPhases, run, name="toy/toy", listeners=listeners)  # type: ignore[arg-type]
    with suppress(Stopped):
        trainer.fit()
    assert multiprocessing.active_children() == []


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # of the cores that there are, not those named here
@pytest.mark.parametrize(
    ("device", "kept", "cores", "together", "expected"),
    [
        ("cpu", True, 16, 1, 0),  # a processor that trains has none to spare
        ("cpu", False, 2, 1, 1),
        ("cuda", True, 16, 1, 4),  # one that feeds a GPU has
        ("cuda", True, 16, 8, 1),
        ("cuda", False, 1, 1, 1),
    ],
)
def test_as_many_workers_as_the_machine_can_spare(
    device: str, kept: bool, cores: int, together: int, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "cores", lambda: cores)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(together))
    images = Noise(4, 8, seed=0, augment=False)
    images.in_memory = kept
    for asked, chosen in ((None, expected), (3, 3)):
        settings = toy_settings(tmp_path, workers=asked)
        loader = make_loader(
            as_dataset(images), MicroBatchSampler(make_plan(settings, 4), 0), settings, torch.device(device)
        )
        assert loader.num_workers == chosen
        assert loader.pin_memory is (device == "cuda")
