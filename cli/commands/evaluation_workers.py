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
    rows: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in subjects]
    errors: list[str] = [""] * len(subjects)
    done = 0

    def fail(task: int, message: str) -> None:
        model, index = tasks[task]
        errors[model] = message
        failed.add(images.name(index), RestoreError(message))

    def receive(task: int, report: tuple[str, Any]) -> None:
        nonlocal done
        kind, content = report
        model, index = tasks[task]
        if kind == "warn":
            _log.warning("%s", content)
            return
        done += 1
        bar.show(labels[model], done, len(tasks))
        if kind == "measured":
            rows[model][index] = {name: torch.from_numpy(values) for name, values in content.items()}
        else:
            fail(task, content)

    def report_death(task: int, how: str) -> None:
        fail(task, f"the process that measured it {how}; fewer --workers need less memory")

    share_tasks(command.work, (command, data), tasks, count, received=receive, died=report_death)
    for found, error in zip(rows, errors, strict=True):
        if not found:
            raise DataError(error)
    return [
        reduce_rows(sorted(found.items()), subject.protocol, subject.images, label)
        for found, subject, label in zip(rows, subjects, labels, strict=True)
    ]


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
