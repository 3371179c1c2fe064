"""Checks of ``--data``: a folder of the user's own images is read, and one that does not exist is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from restore.core.dataset import as_dataset
from restore.core.errors import RestoreError
from restore.core.evaluation import evaluate
from restore.core.images.files import write_image
from restore.core.task import Task
from restore.core.testing.measuring import First
from restore.core.testing.under_test import ContractBroken, NotApplicable, TaskUnderTest, require

SIZE = (128, 160)
"""Height and width of the images that are made where nobody names a folder."""


def a_folder_that_does_not_exist_is_refused(tested: TaskUnderTest) -> None:
    """Data that do not exist are an error, not a reason to use the sample instead."""
    missing = tested.folder / "no such folder"
    if tested.learns:
        for split in ("train", "validation"):
            try:
                settings = tested.task_type.tiny_settings(data=missing, out=tested.folder).resolved()
                task = tested.task_type(settings)
                len(as_dataset(task.dataset(split, task.phases()[0])))
            except (RestoreError, OSError):
                continue
            raise ContractBroken(
                f"dataset({split!r}) ignores settings.data: a folder that does not exist is not refused"
            )
    method = tested.task() if tested.learns else tested.method_type(tested.method_type.settings_type().resolved())
    try:
        if method.protocols():
            len(as_dataset(method.evaluation_data(missing)))
            raise ContractBroken("evaluation_data() ignores its folder: one that does not exist is not refused")
    except (RestoreError, OSError):
        pass


def a_folder_of_data_is_trained_and_measured_on(tested: TaskUnderTest) -> None:
    """A run on the folder of ``--data`` ends, and the folder can be measured on.

    Without a folder, one with plain images is made; a task that refuses it with a clear error is not checked.
    """
    if tested.learns and not tested.trains:
        return
    folder = tested.data or make_images(tested.folder / "images made for the check")
    try:
        if tested.learns:
            _train_on(tested, folder)
        else:
            _measure_on(tested, folder)
    except RestoreError as error:
        if tested.data is not None:
            raise
        raise NotApplicable(f"the task refuses a folder of plain images, so name one with --data: {error}") from error


def _train_on(tested: TaskUnderTest, folder: Path) -> None:
    settings = tested.task_type.tiny_settings(data=folder, out=tested.folder, name="on data").resolved()
    run = tested.train("on data", settings=settings)
    task: Task = tested.task_type(settings)
    require((run / "best.safetensors").is_file(), "a run on a folder of data leaves no weights")
    networks = task.networks()
    images = First(as_dataset(task.evaluation_data(folder)), 1)
    evaluate(task, networks, images, task.training_protocol, of=tested.name)


def _measure_on(tested: TaskUnderTest, folder: Path) -> None:
    method, networks = tested.open()
    if protocols := method.protocols():
        images = First(as_dataset(method.evaluation_data(folder)), 1)
        evaluate(method, networks, images, protocols[method.default_protocol], of=tested.name)


def make_images(folder: Path, count: int = 4) -> Path:
    """Write PNG images of smooth noise into a folder, and return it."""
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    for number in range(count):
        coarse = torch.rand(1, 3, 8, 10, generator=generator)
        image = torch.nn.functional.interpolate(coarse, SIZE, mode="bilinear", align_corners=False)[0]
        write_image(folder / f"{number}.png", image)
    return folder


CHECKS: tuple[Callable[[TaskUnderTest], None], ...] = (
    a_folder_that_does_not_exist_is_refused,
    a_folder_of_data_is_trained_and_measured_on,
)
