"""Measure a method on images, each image once, on any number of processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from accelerate.utils import gather_object
from torch import Tensor, nn

from restore.core.dataset import AnyDataset, Batch, ImageDataset, as_dataset
from restore.core.errors import DataError, RestoreError
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol, GrayMetric, Metric, MetricResult, SizedMetric
from restore.core.networks import Networks, for_inference
from restore.core.seeding import derive_seed, seeded


@dataclass(frozen=True)
class Evaluation:
    """Results of a method."""

    numbers: Sequence[MetricResult]
    per_image: Sequence[Mapping[str, Any]]
    """``{"image", "name", "convention", "of", "value"}`` for every image and metric."""
    notes: Sequence[str] = ()
    """What a reader of the numbers must know: which images do not count."""
    metrics: Sequence[Metric] = ()
    """The metrics of the numbers."""
    statistics: Sequence[Tensor] = field(default=(), repr=False)
    """What the metrics reduced: a table (images, K) for each, float64."""


_GRAY = "target is gray"
"""Key that stands beside the metrics in the statistics of an image: one if its target is gray, else zero, (1, 1)."""


class EvaluationInterrupted(Exception):
    """``stop`` returned true; there is no result."""


def as_batch(sample: Mapping[str, Tensor], device: torch.device) -> Batch:
    """Return a batch of one sample on a device."""
    return {name: value.unsqueeze(0).to(device) for name, value in sample.items()}


@torch.no_grad()
def evaluate(
    method: Method,
    networks: Mapping[str, nn.Module],
    data: AnyDataset,
    protocol: EvaluationProtocol,
    *,
    device: torch.device | str = "cpu",
    of: str,
    rank: int = 0,
    processes: int = 1,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
    failed: Callable[[str, RestoreError], None] | None = None,
) -> Evaluation:
    """Measure every image once, in fp32, and reduce in float64.

    Args:
        method: the method to measure.
        networks: its networks; moved to ``device`` in the memory format of training, otherwise unchanged.
        data: images to measure on; they may differ in size and are measured one at a time.
        protocol: the metrics and their conventions.
        device: compute device.
        of: name of what is measured, for reports.
        rank: index of this process. It measures images rank, rank + processes, … and receives the rows of all others.
        processes: number of processes that share the work.
        stop: called before each image; if it returns true, the evaluation ends.
        progress: called with the number of finished images of this process and their total.
        failed: called with the name and the error of an image that cannot be read or measured, which is left out;
            None: such an image ends the evaluation.

    Raises:
        DataError: ``data`` is empty, or an image cannot be measured, or none can; the message names it.
        EvaluationInterrupted: ``stop`` returned true.
    """
    images = as_dataset(data)
    if not len(images):
        raise DataError("the evaluation data contains no images")
    device = torch.device(device)
    mine = range(rank, len(images), processes)
    rows: list[tuple[int, dict[str, Tensor]]] = []
    with for_inference(networks, device, channels_last=method.channels_last) as view:
        for done, index in enumerate(mine):
            if stop and stop():
                raise EvaluationInterrupted
            try:
                rows.append((index, measure_image(method, images, index, view, protocol, device)))
            except RestoreError as error:
                if failed is None or (not rows and done + 1 == len(mine) and processes == 1):
                    raise
                failed(images.name(index), error)
            if progress:
                progress(done + 1, len(mine))
    if processes > 1:
        rows = sorted(gather_object(rows), key=lambda row: int(row[0]))
    return reduce_rows(rows, protocol, images, of)


@torch.no_grad()
def measure_image(
    method: Method,
    images: ImageDataset,
    index: int,
    networks: Networks,
    protocol: EvaluationProtocol,
    device: torch.device,
) -> dict[str, Tensor]:
    """Return the statistics of one image for every metric, float64 on the host.

    They depend neither on other images nor on the process. Raises RestoreError if the image cannot be read, DataError
    that names the image if it cannot be measured.
    """
    with seeded(derive_seed("evaluation", index), device):  # random estimates are the same each time
        batch = as_batch(images[index], device)
        try:
            statistics = method.measure(batch, networks, protocol)
        except DataError as error:
            raise DataError(f"{images.name(index)}: {error}") from error
        gray = torch.tensor([[float(_has_gray_target(batch))]], dtype=torch.float64)
        return {_GRAY: gray, **{name: value.detach().cpu().double() for name, value in statistics.items()}}


def _has_gray_target(batch: Batch) -> bool:
    target = batch.get("target")
    return isinstance(target, Tensor) and target.ndim == 4 and target.shape[1] == 1 and target.is_floating_point()


def reduce_rows(
    rows: Sequence[tuple[int, Mapping[str, Tensor]]], protocol: EvaluationProtocol, images: ImageDataset, of: str
) -> Evaluation:
    """Reduce the statistics of images to the metrics of the set.

    Args:
        rows: index and statistics of each image, in order of the indices.
        protocol: the metrics.
        images: the images, for their names.
        of: name of what was measured.

    Raises DataError if no image is large enough for a metric.
    """
    numbers, per_image, notes, tables = [], [], [], []
    for name, metric in protocol.items():
        table = torch.cat([statistics[name] for _, statistics in rows])
        unmeasured = table.isnan().all(1)
        if isinstance(metric, SizedMetric) and bool(unmeasured.any()):
            if bool(unmeasured.all()):
                side = metric.least_side
                raise DataError(f"all images are too small for {metric.name.upper()}, which needs {side}x{side} pixels")
            left_out = [
                images.name(index) for (index, _), missing in zip(rows, unmeasured.tolist(), strict=True) if missing
            ]
            notes.append(_about_small(metric, left_out, len(rows)))
        tables.append(table)
        numbers.append(MetricResult(metric.name, metric.convention, of, metric.reduce(table)))
        for index, statistics in rows:
            value = metric.reduce(statistics[name])
            named = {"image": images.name(index), "name": metric.name, "convention": metric.convention}
            per_image.append({**named, "of": of, "value": value})
    notes += map(str, not_finite(numbers, per_image))
    notes += _about_gray(protocol, [images.name(index) for index, found in rows if bool(found[_GRAY])], len(rows))
    return Evaluation(numbers, per_image, notes, list(protocol.values()), tables)


@dataclass(frozen=True)
class NotFinite:
    """A result that is infinite or NaN because of single images, and what the others have."""

    result: MetricResult
    state: str
    """``infinite`` or ``nan``."""
    finite: Sequence[float]
    """The finite values of single images."""
    images: int
    """How many images were measured."""

    def __str__(self) -> str:
        named = f"{self.result.name} ({self.result.convention}) of {self.result.of} is {self.state}"
        if not self.finite:
            return f"{named}, and so it is for every image"
        mean = sum(self.finite) / len(self.finite)
        return (
            f"{named} because of {self.images - len(self.finite)} of {self.images} images; the mean of the others is "
            f"{mean:.4f}"
        )


def not_finite(numbers: Sequence[MetricResult], per_image: Sequence[Mapping[str, Any]]) -> list[NotFinite]:
    """Return the infinite and NaN results for which single images are to blame."""
    found = []
    for number in numbers:
        key = (number.name, number.convention, number.of)
        values = [row["value"] for row in per_image if (row["name"], row["convention"], row["of"]) == key]
        if not math.isfinite(number.value) and not all(map(math.isnan, values)):
            state = "nan" if math.isnan(number.value) else "infinite"
            found.append(NotFinite(number, state, [value for value in values if math.isfinite(value)], len(values)))
    return found


def _about_small(metric: SizedMetric, left_out: Sequence[str], count: int) -> str:
    names = ", ".join(left_out[:3]) + (", …" if len(left_out) > 3 else "")
    are = "images is" if len(left_out) == 1 else "images are"
    return (
        f"{metric.name} ({metric.convention}): {len(left_out)} of {count} {are} smaller than {metric.least_side} "
        f"pixels and left out: {names}"
    )


def _about_gray(protocol: EvaluationProtocol, gray: Sequence[str], count: int) -> list[str]:
    """Return what metrics compare of gray targets, once for each rule."""
    rules: dict[str, list[str]] = {}
    for metric in protocol.values():
        if gray and isinstance(metric, GrayMetric) and metric.gray_rule:
            rules.setdefault(metric.gray_rule, []).append(metric.name)
    names = ", ".join(gray[:3]) + (", …" if len(gray) > 3 else "")
    return [
        f"Gray targets {rule} ({', '.join(metrics)}): {len(gray)} of {count} images, {names}"
        for rule, metrics in rules.items()
    ]
