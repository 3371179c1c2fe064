"""Checks of metrics: one row of statistics per sample, finite numbers, baselines."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from restore.core.dataset import Batch, NamedDataset, as_dataset
from restore.core.errors import RestoreError
from restore.core.evaluation import evaluate
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol, Metric, MetricResult, PartialMetric
from restore.core.networks import Networks
from restore.core.seeding import seeded
from restore.core.task import Task
from restore.core.testing.under_test import ContractBroken, TaskUnderTest, require

TOLERANCE = 5e-2
"""Allowed difference between a sample's statistics in a batch and alone, as a fraction of the largest: float32 rounding
changes gray levels and pixel counts."""


class First:
    """The first few images of a dataset, so that measuring is fast."""

    def __init__(self, images: NamedDataset, count: int) -> None:
        self.images, self.count = images, min(count, len(images))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self.images[index]

    def name(self, index: int) -> str:
        """Return the name of an image."""
        return self.images.name(index)


def every_sample_is_a_row_of_its_own(tested: TaskUnderTest) -> None:
    """The first axis of statistics is the samples; statistics that are not random depend on one sample only."""
    method, networks = tested.open()
    if not method.protocols():
        return
    pair = _pair(as_dataset(method.evaluation_data(None)))
    batch = {name: torch.stack([sample[name] for sample in pair]) for name in pair[0]}
    for label, protocol in method.protocols().items():
        rows = _measure(method, networks, batch, protocol)
        require(set(rows) == set(protocol), f"{label}: measure() returns {sorted(rows)}, not {sorted(protocol)}")
        for name, table in rows.items():
            where = f"{label}, {name}"
            require(
                table.dim() >= 1 and len(table) == 2, f"{where}: two samples gave rows of shape {tuple(table.shape)}"
            )
            require(table.dtype == torch.float64, f"{where}: statistics are {table.dtype}, not float64")
        _require_own(method, networks, pair[0], protocol, rows, label)


def _pair(images: NamedDataset) -> list[dict[str, Tensor]]:
    """Return the first and the last sample, or the first one twice if the two do not fit in one batch."""
    first, last = images[0], images[len(images) - 1]
    alike = all(tensor.shape == last[name].shape for name, tensor in first.items())
    return [first, last if alike else first]


def _measure(
    method: Method, networks: Networks, batch: Batch, protocol: EvaluationProtocol, seed: int = 4
) -> dict[str, Tensor]:
    with torch.no_grad(), seeded(seed):
        return method.measure(batch, networks, protocol)


def _require_own(
    method: Method,
    networks: Networks,
    sample: Mapping[str, Tensor],
    protocol: EvaluationProtocol,
    rows: Mapping[str, Tensor],
    label: str,
) -> None:
    """Statistics that are equal under two seeds are not random, and must not depend on the other sample."""
    batch = {name: tensor[None] for name, tensor in sample.items()}
    alone, again = (_measure(method, networks, batch, protocol, seed) for seed in (4, 5))
    for name, table in rows.items():
        if torch.equal(alone[name], again[name]):
            largest = max(1.0, float(alone[name].abs().max()))
            same = torch.allclose(table[:1], alone[name], rtol=0, atol=TOLERANCE * largest, equal_nan=True)
            require(same, f"{label}, {name}: statistics of a sample depend on another sample of the batch")


def numbers_are_finite_and_say_how_they_were_measured(tested: TaskUnderTest) -> None:
    """Every protocol yields finite numbers with a convention, for the set and for each image."""
    method, networks = tested.open()
    if not method.protocols():
        return
    images = First(as_dataset(method.evaluation_data(None)), 2)
    for label, protocol in method.protocols().items():
        measured = evaluate(method, networks, images, protocol, of=tested.name)
        for number, metric in zip(measured.numbers, protocol.values(), strict=True):
            require(number.convention, f"{label}: metric {number.name} has no convention")
            _require_finite(number, metric, label)
        require(len(measured.per_image) == len(images) * len(protocol), f"{label}: not every image")


def baselines_are_measured_alike(tested: TaskUnderTest) -> None:
    """Baselines can be measured on the validation images with the training protocol."""
    if not tested.learns:
        return
    task = tested.task()
    images, protocol = First(as_dataset(task.evaluation_data(None)), 1), task.training_protocol
    for name, baseline in task.baselines().items():
        require(isinstance(baseline, Method), f"baseline {name!r} is {baseline!r}, not a Method")
        require(not isinstance(baseline, Task), f"baseline {name!r} is a Task, which needs training; use a Method")
        numbers = evaluate(baseline, {}, images, protocol, of=name).numbers
        for number, metric in zip(numbers, protocol.values(), strict=True):
            _require_finite(number, metric, f"baseline {name!r}")


def _require_finite(number: MetricResult, metric: Metric, where: str) -> None:
    """Require a finite number, except for a partial metric that covers none of the images."""
    none = math.isnan(number.value) and isinstance(metric, PartialMetric)
    require(math.isfinite(number.value) or none, f"{where}: {number.name} is {number.value}")


def samples_can_be_shown(tested: TaskUnderTest) -> None:
    """The task makes a row of sample images, which a run writes after each evaluation."""
    method, networks = tested.open()
    if not method.protocols():
        return
    sample = as_dataset(method.evaluation_data(None))[0]
    with torch.no_grad(), seeded(4):
        row = method.sample_row({name: tensor[None] for name, tensor in sample.items()}, networks)
    require(row, "sample_row() returns no image")
    for image in row:
        good = image.dim() == 3 and image.shape[0] in (1, 3)
        require(good, f"sample_row(): shape {tuple(image.shape)} is not an image (1 or 3, H, W)")
        require(image.min() >= 0 and image.max() <= 1, "sample_row(): values outside [0, 1]")


def what_cannot_be_measured_says_so(tested: TaskUnderTest) -> None:
    """A method without protocols refuses to be evaluated, with a message of one line."""
    if tested.learns:
        require(tested.task().protocols(), "protocols() is empty, but a task that trains must be measured")
        return
    method, _ = tested.open()
    if method.protocols():
        return
    try:
        method.evaluation_data(None)
    except RestoreError:
        return
    raise ContractBroken("protocols() is empty, but evaluation_data() returns images; it should raise UsageError")


CHECKS: tuple[Callable[[TaskUnderTest], None], ...] = (
    every_sample_is_a_row_of_its_own,
    numbers_are_finite_and_say_how_they_were_measured,
    baselines_are_measured_alike,
    samples_can_be_shown,
    what_cannot_be_measured_says_so,
)
