"""How a task is measured: one row of statistics a sample, numbers that are finite, baselines beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from restore.core.dataset import Batch, NamedDataset, as_dataset
from restore.core.errors import RestoreError
from restore.core.evaluation import evaluate
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol, Metric, MetricResult, is_partial
from restore.core.networks import Networks
from restore.core.seeding import seeded
from restore.core.task import Task
from restore.core.testing.under_test import ContractBroken, TaskUnderTest, require

TOLERANCE = 5e-2
"""Of a sample's statistics in a batch against those of it alone, as a share of the largest: float32 rounds, and levels
of gray and counted pixels with it."""


class _First:
    """The first few of some images, so that measuring takes no time."""

    def __init__(self, images: NamedDataset, count: int) -> None:
        self.images, self.count = images, min(count, len(images))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self.images[index]

    def name(self, index: int) -> str:
        return self.images.name(index)


def every_sample_is_a_row_of_its_own(tested: TaskUnderTest) -> None:
    """Statistics of a batch have the samples on their first axis; those that are not random are each sample's own."""
    method, networks = tested.opened()
    if not method.protocols():
        return
    pair = _pair(as_dataset(method.evaluation_data(None)))
    batch = {name: torch.stack([sample[name] for sample in pair]) for name in pair[0]}
    for protocol in method.protocols().values():
        rows = _measured(method, networks, batch, protocol)
        require(set(rows) == set(protocol.metrics), f"{protocol.name}: measure() gives {sorted(rows)}")
        for name, table in rows.items():
            where = f"{protocol.name}, {name}"
            require(
                table.dim() >= 1 and len(table) == 2, f"{where}: two samples gave rows of shape {tuple(table.shape)}"
            )
            require(table.dtype == torch.float64, f"{where}: statistics are {table.dtype}, not float64")
        _require_own(method, networks, pair[0], protocol, rows)


def _pair(images: NamedDataset) -> list[dict[str, Tensor]]:
    """The first and the last sample, or the first one twice where the two cannot be put in one batch."""
    first, last = images[0], images[len(images) - 1]
    alike = all(tensor.shape == last[name].shape for name, tensor in first.items())
    return [first, last if alike else first]


def _measured(
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
) -> None:
    """What two seeds agree about is not random, and must not depend on the sample beside the first."""
    batch = {name: tensor[None] for name, tensor in sample.items()}
    alone, again = (_measured(method, networks, batch, protocol, seed) for seed in (4, 5))
    for name, table in rows.items():
        if torch.equal(alone[name], again[name]):
            largest = max(1.0, float(alone[name].abs().max()))
            same = torch.allclose(table[:1], alone[name], rtol=0, atol=TOLERANCE * largest, equal_nan=True)
            require(same, f"{protocol.name}, {name}: statistics of a sample depend on the one beside it in a batch")


def numbers_are_finite_and_say_how_they_were_measured(tested: TaskUnderTest) -> None:
    """Every protocol gives finite numbers with a convention, for the set and for each of its images."""
    method, networks = tested.opened()
    if not method.protocols():
        return
    images = _First(as_dataset(method.evaluation_data(None)), 2)
    for protocol in method.protocols().values():
        measured = evaluate(method, networks, images, protocol, of=tested.name)
        for number, metric in zip(measured.numbers, protocol.metrics.values(), strict=True):
            require(number.convention, f"{protocol.name}: {number.name} does not say how it was measured")
            _require_finite(number, metric, protocol.name)
        require(len(measured.per_image) == len(images) * len(protocol.metrics), f"{protocol.name}: not every image")


def baselines_are_measured_alike(tested: TaskUnderTest) -> None:
    """What a run is compared with is measured on its validation images by its training protocol."""
    if not tested.learns:
        return
    task = tested.task()
    images, protocol = _First(as_dataset(task.evaluation_data(None)), 1), task.training_protocol
    for name, baseline in task.baselines().items():
        require(isinstance(baseline, Method), f"baseline {name!r} is {baseline!r}, no Method")
        require(not isinstance(baseline, Task), f"baseline {name!r} is a Task: it would need training")
        numbers = evaluate(baseline, {}, images, protocol, of=name).numbers
        for number, metric in zip(numbers, protocol.metrics.values(), strict=True):
            _require_finite(number, metric, f"baseline {name!r}")


def _require_finite(number: MetricResult, metric: Metric, where: str) -> None:
    """A number must be one, unless it is about some of the images only and none of them was measured."""
    none = math.isnan(number.value) and is_partial(metric)
    require(math.isfinite(number.value) or none, f"{where}: {number.name} is {number.value}")


def samples_can_be_shown(tested: TaskUnderTest) -> None:
    """The row of images that a run writes after each evaluation."""
    method, networks = tested.opened()
    if not method.protocols():
        return
    sample = as_dataset(method.evaluation_data(None))[0]
    with torch.no_grad(), seeded(4):
        row = method.sample_row({name: tensor[None] for name, tensor in sample.items()}, networks)
    require(row, "sample_row() gives no image")
    for image in row:
        require(image.dim() == 3 and image.shape[0] in (1, 3), f"{tuple(image.shape)} is no image (C, H, W)")
        require(image.min() >= 0 and image.max() <= 1, "sample_row(): values outside [0, 1]")


def what_cannot_be_measured_says_so(tested: TaskUnderTest) -> None:
    """A method without protocols has no right answers to compare with, and evaluating it is refused in one line."""
    if tested.learns:
        require(tested.task().protocols(), "it learns, but protocols() names no way to measure what")
        return
    method, _ = tested.opened()
    if method.protocols():
        return
    try:
        method.evaluation_data(None)
    except RestoreError:
        return
    raise ContractBroken("protocols() is empty, but evaluation_data() gives images")


CHECKS: tuple[Callable[[TaskUnderTest], None], ...] = (
    every_sample_is_a_row_of_its_own,
    numbers_are_finite_and_say_how_they_were_measured,
    baselines_are_measured_alike,
    samples_can_be_shown,
    what_cannot_be_measured_says_so,
)
