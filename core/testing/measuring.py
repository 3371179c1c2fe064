"""How a task is measured: one row of statistics a sample, numbers that are finite, baselines beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from restore.core.chance import chance
from restore.core.errors import RestoreError
from restore.core.evaluation import evaluate
from restore.core.measuring import EvaluationProtocol, Metric, Number, is_partial
from restore.core.steps import Batch, Modules
from restore.core.task import Pictures, Task
from restore.core.testing.subject import ContractBroken, Subject, require

TOLERANCE = 5e-2
"""Of a sample's statistics in a batch against those of it alone, as a share of the largest: float32 rounds, and levels
of gray and counted pixels with it."""


class _First:
    """The first few of some pictures, so that measuring takes no time."""

    def __init__(self, pictures: Pictures, count: int) -> None:
        self.pictures, self.count = pictures, min(count, len(pictures))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self.pictures[index]

    def name(self, index: int) -> str:
        return self.pictures.name(index)


def every_sample_is_a_row_of_its_own(subject: Subject) -> None:
    """Statistics of a batch have the samples on their first axis; those not drawn by chance are each sample's own."""
    task, modules = subject.networks()
    if not task.protocols():
        return
    pair = _pair(task.evaluation_data(None))
    batch = {name: torch.stack([sample[name] for sample in pair]) for name in pair[0]}
    for protocol in task.protocols().values():
        rows = _measured(task, modules, batch, protocol)
        require(set(rows) == set(protocol.metrics), f"{protocol.name}: measure() gives {sorted(rows)}")
        for name, table in rows.items():
            where = f"{protocol.name}, {name}"
            require(
                table.dim() >= 1 and len(table) == 2, f"{where}: two samples gave rows of shape {tuple(table.shape)}"
            )
            require(table.dtype == torch.float64, f"{where}: statistics are {table.dtype}, not float64")
        _require_own(task, modules, pair[0], protocol, rows)


def _pair(pictures: Pictures) -> list[dict[str, Tensor]]:
    """The first and the last sample, or the first one twice where the two cannot be put in one batch."""
    first, last = pictures[0], pictures[len(pictures) - 1]
    alike = all(tensor.shape == last[name].shape for name, tensor in first.items())
    return [first, last if alike else first]


def _measured(
    task: Task, modules: Modules, batch: Batch, protocol: EvaluationProtocol, seed: int = 4
) -> dict[str, Tensor]:
    with torch.no_grad(), chance(seed):
        return task.measure(batch, modules, protocol)


def _require_own(
    task: Task,
    modules: Modules,
    sample: Mapping[str, Tensor],
    protocol: EvaluationProtocol,
    rows: Mapping[str, Tensor],
) -> None:
    """What two seeds agree about is not drawn by chance, and must not depend on the sample beside the first."""
    batch = {name: tensor[None] for name, tensor in sample.items()}
    alone, again = (_measured(task, modules, batch, protocol, seed) for seed in (4, 5))
    for name, table in rows.items():
        if torch.equal(alone[name], again[name]):
            largest = max(1.0, float(alone[name].abs().max()))
            same = torch.allclose(table[:1], alone[name], rtol=0, atol=TOLERANCE * largest, equal_nan=True)
            require(same, f"{protocol.name}, {name}: statistics of a sample depend on the one beside it in a batch")


def numbers_are_finite_and_say_how_they_were_measured(subject: Subject) -> None:
    """Every protocol gives finite numbers with a convention, for the set and for each of its pictures."""
    task, modules = subject.networks()
    if not task.protocols():
        return
    pictures = _First(task.evaluation_data(None), 2)
    for protocol in task.protocols().values():
        measured = evaluate(task, modules, pictures, protocol, of=subject.name)
        for number, metric in zip(measured.numbers, protocol.metrics.values(), strict=True):
            require(number.convention, f"{protocol.name}: {number.name} does not say how it was measured")
            _require_finite(number, metric, protocol.name)
        require(len(measured.per_image) == len(pictures) * len(protocol.metrics), f"{protocol.name}: not every picture")


def baselines_are_measured_alike(subject: Subject) -> None:
    """What a run is compared with is measured on its validation pictures by its first protocol."""
    task = subject.task()
    for name, baseline in task.baselines().items():
        require(isinstance(baseline, Task), f"baseline {name!r} is {baseline!r}, no task")
        require(not baseline.modules, f"baseline {name!r} has weights")
        pictures, protocol = _First(task.evaluation_data(None), 1), next(iter(task.protocols().values()))
        numbers = evaluate(baseline, {}, pictures, protocol, of=name).numbers
        for number, metric in zip(numbers, protocol.metrics.values(), strict=True):
            _require_finite(number, metric, f"baseline {name!r}")


def _require_finite(number: Number, metric: Metric, where: str) -> None:
    """A number must be one, unless it is about some of the pictures only and none of them was measured."""
    none = math.isnan(number.value) and is_partial(metric)
    require(math.isfinite(number.value) or none, f"{where}: {number.name} is {number.value}")


def samples_can_be_shown(subject: Subject) -> None:
    """The row of pictures that a run writes after each evaluation."""
    task, modules = subject.networks()
    if not task.protocols():
        return
    sample = task.evaluation_data(None)[0]
    with torch.no_grad(), chance(4):
        row = task.sample_row({name: tensor[None] for name, tensor in sample.items()}, modules)
    require(row, "sample_row() gives no picture")
    for picture in row:
        require(picture.dim() == 3 and picture.shape[0] in (1, 3), f"{tuple(picture.shape)} is no picture (C, H, W)")
        require(picture.min() >= 0 and picture.max() <= 1, "sample_row(): values outside [0, 1]")


def what_cannot_be_measured_says_so(subject: Subject) -> None:
    """A task without protocols has no right answers to compare with, and evaluating it is refused in one line."""
    task = subject.task()
    if task.protocols():
        return
    try:
        task.evaluation_data(None)
    except RestoreError:
        return
    raise ContractBroken("protocols() is empty, but evaluation_data() gives pictures")


CHECKS: tuple[Callable[[Subject], None], ...] = (
    every_sample_is_a_row_of_its_own,
    numbers_are_finite_and_say_how_they_were_measured,
    baselines_are_measured_alike,
    samples_can_be_shown,
    what_cannot_be_measured_says_so,
)
