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
from restore.core.errors import DataError
from restore.core.events import Event, StepDone
from restore.core.runtime import processes
from restore.core.training.dataloading import MicroBatchSampler, decode_all, make_loader, make_plan, next_batch
from restore.core.training.trainer import Trainer


class Stopped(Exception):
    """Raised in the middle of an epoch."""


def stop(event: Event) -> None:
    if isinstance(event, StepDone) and event.run_step == 3:
        raise Stopped


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.collect()  # what tests before this one left
    gc.disable()  # it may come too late: at the exit of the interpreter torch complains of workers that are ended
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("listeners", [[], [stop]], ids=["done", "stopped"])
def test_workers_end_with_the_run(listeners: list[object], tmp_path: Path) -> None:
    before = multiprocessing.active_children()
    run = toy_settings(tmp_path, epochs=2, workers=1)
    trainer = Trainer(TwoPhases, run, name="toy/toy", listeners=listeners)  # type: ignore[arg-type]
    with suppress(Stopped):
        trainer.fit()
    assert [each for each in multiprocessing.active_children() if each not in before] == []


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


class Cut:
    """A dataset one of whose files was cut off."""

    in_memory = False

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        if index == 3:
            raise DataError("data/3.jpg: is damaged or truncated")
        return {"input": torch.zeros(1, 4, 4)}


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_a_data_loading_process_is_one_line(tmp_path: Path, workers: int) -> None:
    settings = toy_settings(tmp_path, workers=workers, batch_size=2, samples_per_epoch=6)
    plan = make_plan(settings, 6)
    sampler = MicroBatchSampler(plan, 0)
    batches = iter(make_loader(as_dataset(Cut()), sampler, settings, torch.device("cpu")))
    with pytest.raises(DataError) as failed:
        list(map(next_batch, [batches] * 3))
    assert str(failed.value) == "data/3.jpg: is damaged or truncated"


def test_every_image_is_decoded_first_if_asked_for() -> None:
    state = torch.random.get_rng_state()
    with pytest.raises(DataError, match=r"3\.jpg"):
        decode_all(as_dataset(Cut()))
    assert torch.equal(torch.random.get_rng_state(), state)
