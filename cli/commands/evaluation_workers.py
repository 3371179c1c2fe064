"""Measure models in several processes, each of which takes one image after another."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from restore.cli.console.log_capture import print_log_warnings
from restore.core.errors import DataError, RestoreError
from restore.core.evaluation import measure_image
from restore.core.images.damaged import leave_out_damaged
from restore.core.networks import for_inference
from restore.core.reduction import Evaluation, reduce_rows
from restore.core.runtime.devices import device_of_worker
from restore.core.runtime.worker_pool import Channel, share_tasks

if TYPE_CHECKING:
    from restore.cli.command_line import CommandLine
    from restore.cli.commands.evaluation_subjects import FailedImages, Subject
    from restore.cli.console.bar import Bar
    from restore.core.dataset import ImageDataset

_log = logging.getLogger(__name__)


def measure_in_workers(
    command: CommandLine,
    count: int,
    data: Path | None,
    subjects: Sequence[Subject],
    labels: Sequence[str],
    failed: FailedImages,
    bar: Bar,
) -> list[Evaluation]:
    """Measure every model on every image in several processes.

    Statistics of an image do not depend on the process, and are reduced here in the order of the images, so that the
    numbers are those of one process.

    Args:
        command: the command line.
        count: number of processes.
        data: the folder of images, or None for the built-in sample.
        subjects: the models with their images.
        labels: their names.
        failed: told about images that cannot be measured.
        bar: shows progress.

    Raises:
        RestoreError: a model could measure no image, or a process could not prepare itself.
    """
    images = subjects[0].images
    # One model after the other, so that a process rarely holds more than one of them on its device.
    tasks = [(model, index) for model in range(len(subjects)) for index in range(len(images))]
    gathered = _Gathered(tasks, images, labels, failed, bar)
    share_tasks(command.work, (command, data), tasks, count, received=gathered.receive, died=gathered.report_death)
    for model in range(len(subjects)):
        if not gathered.rows[model]:
            raise DataError(gathered.errors[model])
    return [
        reduce_rows(sorted(gathered.rows[model].items()), subject.protocol, subject.images, label)
        for model, (subject, label) in enumerate(zip(subjects, labels, strict=True))
    ]


class _Gathered:
    """The statistics that the processes report: of each model, by the index of the image."""

    def __init__(
        self,
        tasks: Sequence[tuple[int, int]],
        images: ImageDataset,
        labels: Sequence[str],
        failed: FailedImages,
        bar: Bar,
    ) -> None:
        self._tasks, self._images, self._labels, self._failed, self._bar = tasks, images, labels, failed, bar
        self._done = 0
        self.rows: dict[int, dict[int, dict[str, torch.Tensor]]] = {model: {} for model, _ in tasks}
        self.errors: dict[int, str] = {}
        """The last error of each model that had one."""

    def receive(self, task: int, report: tuple[str, Any]) -> None:
        """Keep what a process says about an image and a model."""
        kind, content = report
        model, index = self._tasks[task]
        if kind == "warn":
            _log.warning("%s", content)
            return
        self._done += 1
        self._bar.show(self._labels[model], self._done, len(self._tasks))
        if kind == "measured":
            self.rows[model][index] = {name: torch.from_numpy(values) for name, values in content.items()}
        else:
            self._fail(task, content)

    def report_death(self, task: int, how: str) -> None:
        """Count an image as failed whose process ended."""
        self._fail(task, f"the process that measured it {how}; fewer --workers need less memory")

    def _fail(self, task: int, message: str) -> None:
        model, index = self._tasks[task]
        self.errors[model] = message
        self._failed.add(self._images.name(index), RestoreError(message))


def serve_measurements(channel: Channel, requested: str, open_subjects: Callable[[], Sequence[Subject]]) -> None:
    """Measure images that the parent hands out, in a process of its own.

    Args:
        channel: to the parent.
        requested: the device, as it was typed.
        open_subjects: opens the models.
    """
    device = device_of_worker(requested, channel.number)
    with print_log_warnings(lambda _: None), leave_out_damaged():  # the parent has listed the images too
        subjects = open_subjects()
    current, used = -1, ExitStack()
    with print_log_warnings(lambda text: channel.report(("warn", text))), used:
        for model, index in channel.tasks():
            subject = subjects[model]
            if model != current:
                used.close()
                moved = for_inference(subject.networks, device, channels_last=subject.method.channels_last)
                current, networks = model, used.enter_context(moved)
            try:
                found = measure_image(subject.method, subject.images, index, networks, subject.protocol, device)
                channel.report(("measured", {name: values.numpy() for name, values in found.items()}))
            except RestoreError as error:
                channel.report(("failed", str(error)))
