"""Processes that load data live no longer than the run that they load it for."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from toy_tasks import TwoPhases, toy_settings

from restore.core.events import Event, StepDone
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
    trainer = Trainer(TwoPhases(run), run, listeners=listeners)  # type: ignore[arg-type]
    with suppress(Stopped):
        trainer.fit()
    assert multiprocessing.active_children() == []
