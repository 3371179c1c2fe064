"""Reduce the statistics of images to the metrics of a set, and say which images do not count."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from restore.core.dataset import ImageDataset
from restore.core.errors import DataError
from restore.core.metrics import EvaluationProtocol, GrayMetric, LimitedMetric, Metric, MetricResult, SizedMetric

Rows = Sequence[tuple[int, Mapping[str, Tensor]]]
"""Index of each image, and its statistics for every metric."""


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


_GRAY, _SIDE = "target is gray", "shortest side of target"
"""Keys that stand beside the metrics in the statistics of an image: one or zero, and pixels, (1, 1)."""


def describe_target(target: object) -> dict[str, Tensor]:
    """Return what the notes of an evaluation say of the target of an image, to stand beside its statistics."""
    image = isinstance(target, Tensor) and target.ndim == 4
    gray = isinstance(target, Tensor) and image and target.shape[1] == 1 and target.is_floating_point()
    side = min(target.shape[-2:]) if isinstance(target, Tensor) and image else 0
    return {name: torch.tensor([[float(value)]], dtype=torch.float64) for name, value in ((_GRAY, gray), (_SIDE, side))}


def reduce_rows(rows: Rows, protocol: EvaluationProtocol, images: ImageDataset, of: str) -> Evaluation:
    """Reduce the statistics of images to the metrics of the set.

    Images that are too small for a metric, or for which it is infinite because they are perfect, are left out of its
    value; the result counts them and a note names them. A metric is NaN if no image is large enough for it, and
    infinite if it is for every image.

    Args:
        rows: index and statistics of each image, in order of the indices.
        protocol: the metrics.
        images: the images, for their names.
        of: name of what was measured.

    Raises DataError if no image is large enough for any metric.
    """
    names = [images.name(index) for index, _ in rows]
    numbers, per_image, notes, tables = [], [], [], []
    for key, metric in protocol.items():
        table = torch.cat([statistics[key] for _, statistics in rows])
        small = _find_small(metric, table, rows)
        values = [metric.reduce(row[None]) for row in table]
        reduced = _reduce(metric, table, small, values)
        numbers.append(MetricResult(metric.name, metric.convention, of, reduced.value, len(rows), reduced.left_out))
        notes += reduced.explain(metric, of, names)
        tables.append(table)
        for name, value in zip(names, values, strict=True):
            named = {"image": name, "name": metric.name, "convention": metric.convention}
            per_image.append({**named, "of": of, "value": value})
    _refuse_small(protocol, numbers)
    notes += _about_gray(protocol, [name for name, (_, found) in zip(names, rows, strict=True) if found[_GRAY]], names)
    return Evaluation(numbers, per_image, notes, list(protocol.values()), tables)


def _find_small(metric: Metric, table: Tensor, rows: Rows) -> list[bool]:
    """Return which images are too small for a metric. NaN of others is not an image's fault and stays."""
    if not isinstance(metric, SizedMetric):
        return [False] * len(rows)
    unmeasured = table.isnan().all(1).tolist()
    sides = [float(statistics[_SIDE]) for _, statistics in rows]
    return [missing and side < metric.least_side for missing, side in zip(unmeasured, sides, strict=True)]


@dataclass(frozen=True)
class _Reduced:
    """The value of a metric, and the images that it leaves out."""

    value: float
    small: Sequence[bool]
    infinite: Sequence[bool]
    missing: Sequence[bool]
    """Images whose own value is NaN although they are large enough."""

    @property
    def left_out(self) -> int:
        return sum(self.small) + sum(self.infinite)

    def explain(self, metric: Metric, of: str, names: Sequence[str]) -> list[str]:
        """Return in words why the value is not that of all images."""
        shown, total, notes = f"{metric.name} ({metric.convention})", len(names), []
        if isinstance(metric, SizedMetric) and any(self.small):
            are, left_out = _count(self.small, total), _list(self.small, names)
            notes.append(f"{shown}: {are} smaller than {metric.least_side} pixels and left out: {left_out}")
        if any(self.infinite):
            perfect = "perfect, which makes it infinite," if isinstance(metric, LimitedMetric) else "infinite"
            are = _count(self.infinite, total)
            notes.append(f"{shown} of {of}: {are} {perfect} and left out: {_list(self.infinite, names)}")
        if math.isinf(self.value):
            notes.append(f"{shown} of {of} is infinite, and so it is for every image")
        if math.isnan(self.value) and any(self.missing) and not all(self.missing):
            are, blamed = _count(self.missing, total), _list(self.missing, names)
            notes.append(f"{shown} of {of} is nan: {are} to blame, whose values are no numbers: {blamed}")
        return notes


def _reduce(metric: Metric, table: Tensor, small: Sequence[bool], values: Sequence[float]) -> _Reduced:
    large = torch.tensor(small).logical_not()
    missing = [math.isnan(value) and not left_out for value, left_out in zip(values, small, strict=True)]
    none = [False] * len(values)
    if not bool(large.any()):
        return _Reduced(math.nan, small, none, none)
    if isinstance(metric, SizedMetric) and any(missing):
        return _Reduced(math.nan, small, none, missing)  # its own mean would leave them out as if they were small
    value = metric.reduce(table[large])
    infinite = list(map(math.isinf, values))
    finite = large & torch.tensor(infinite).logical_not()
    if math.isinf(value) and bool(finite.any()):
        return _Reduced(metric.reduce(table[finite]), small, infinite, missing)
    return _Reduced(value, small, none, missing)


def _refuse_small(protocol: EvaluationProtocol, numbers: Sequence[MetricResult]) -> None:
    """Raise DataError if all images are too small for every metric."""
    sides = {metric.least_side: metric.name for metric in protocol.values() if isinstance(metric, SizedMetric)}
    if len(sides) and all(number.left_out == number.images and math.isnan(number.value) for number in numbers):
        side = min(sides)
        raise DataError(f"all images are too small for {sides[side].upper()}, which needs {side}x{side} pixels")


def _count(chosen: Sequence[bool], total: int) -> str:
    return f"{sum(chosen)} of {total} images {'is' if sum(chosen) == 1 else 'are'}"


def _list(chosen: Sequence[bool], names: Sequence[str]) -> str:
    named = [name for name, wanted in zip(names, chosen, strict=True) if wanted]
    return ", ".join(named[:3]) + (", …" if len(named) > 3 else "")


def _about_gray(protocol: EvaluationProtocol, gray: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return what metrics compare of gray targets, once for each rule."""
    rules: dict[str, list[str]] = {}
    for metric in protocol.values():
        if gray and isinstance(metric, GrayMetric) and metric.gray_rule:
            rules.setdefault(metric.gray_rule, []).append(metric.name)
    listed = ", ".join(gray[:3]) + (", …" if len(gray) > 3 else "")
    return [
        f"Gray targets {rule} ({', '.join(metrics)}): {len(gray)} of {len(names)} images, {listed}"
        for rule, metrics in rules.items()
    ]
