"""How well holes were filled: inside the hole, where alone something was done, and over the whole image."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from typing_extensions import override

from restore.core.dataset import Batch
from restore.core.metrics import EvaluationProtocol, Metric
from restore.core.runtime.devices import in_float64
from restore.plugins.common.masks.settings import KINDS, MaskKind
from restore.plugins.common.metrics import PSNR, SSIM, Comparison

BUCKETS = ((0, 10), (10, 20), (20, 30), (30, 40), (40, 50), (50, 60), (60, 100))
"""Hole shares in percent by which papers sort their numbers, and what lies beyond; the upper bound belongs to each."""


class MaskedMetric(ABC):
    """Base of the metrics that need the mask besides the two images.

    An image without a hole has no such number and is left out; where no image has a hole the number is nan.
    """

    convention: ClassVar[str] = "8-bit RGB, inside the hole"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Statistics as if the whole image were the hole."""
        return self.measure_inside(prediction, target, torch.ones_like(target[:, :1]))

    def measure_inside(self, prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Sum of errors inside the hole and number of values there, (B, 2) float64.

        Images are (B, C, H, W) in [0, 1], masks (B, 1, H, W) with one in the hole.
        """
        seen, wanted = Comparison("rgb8")(prediction, target)
        inside = in_float64(mask)
        errors = self._errors(seen - wanted) * inside
        counts = inside.expand_as(errors)
        return torch.stack([errors.flatten(1).sum(1), counts.flatten(1).sum(1)], dim=1)

    @abstractmethod
    def _errors(self, differences: Tensor) -> Tensor:
        """What is summed, from differences in 1/255."""


def _in_mask(rows: Tensor) -> Tensor:
    return rows.double()[rows[:, 1] > 0]


@dataclass(frozen=True)
class MaskedPSNR(MaskedMetric):
    """Peak signal-to-noise ratio inside the hole in dB: of each image, then the mean; see `PSNR`."""

    name: ClassVar[str] = "masked-psnr"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    @override
    def _errors(self, differences: Tensor) -> Tensor:
        return differences.square()

    def reduce(self, rows: Tensor) -> float:
        """Mean of the rows' ratios, in dB."""
        return PSNR().reduce(_in_mask(rows))


@dataclass(frozen=True)
class MaskedL1(MaskedMetric):
    """Mean absolute error inside the hole, in parts of white: of each image, then the mean."""

    name: ClassVar[str] = "masked-l1"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    @override
    def _errors(self, differences: Tensor) -> Tensor:
        return differences.abs() / 255

    def reduce(self, rows: Tensor) -> float:
        """Mean of the rows' means."""
        errors, counts = _in_mask(rows).unbind(1)
        return float((errors / counts).mean())


@dataclass(frozen=True)
class OfSome:
    """Another metric's number over some of the images: those with holes of one kind, or of one bucket of shares.

    Each row is preceded by what is sorted by. The number is nan where there is no such image.
    """

    metric: Metric
    name: str
    by: Literal["kind", "coverage"]
    """Sorted by the kind of drawn holes, or by the percentage of the image that is hole."""
    above: float
    upto: float
    """Images with a value above the one and up to the other belong to it."""

    partial: ClassVar[bool] = True

    @property
    def convention(self) -> str:
        """That of the other metric."""
        return self.metric.convention

    @property
    def better(self) -> Literal["higher", "lower"]:
        """That of the other metric."""
        return self.metric.better

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Statistics as if the whole image were a hole of no kind."""
        values = torch.full_like(target[:, 0, 0, 0], 100 if self.by == "coverage" else -1)
        return self.sorted_by(values, self.metric.measure(prediction, target))

    def sorted_by(self, values: Tensor, rows: Tensor) -> Tensor:
        """Rows (B, 1 + K) from what is sorted by, (B,), and the other metric's rows (B, K)."""
        return torch.cat([values[:, None].to(rows), rows], dim=1)

    def reduce(self, rows: Tensor) -> float:
        """The other metric's number from the rows that belong to it."""
        own = rows[(rows[:, 0] > self.above) & (rows[:, 0] <= self.upto), 1:]
        return self.metric.reduce(own) if len(own) else math.nan


def measured(prediction: Tensor, batch: Batch, protocol: EvaluationProtocol) -> dict[str, Tensor]:
    """Statistics of each sample for every metric: predictions (B, C, H, W) against ``target``, with ``mask``.

    ``kind`` (B,) says what the holes look like, as `dataset.masked_sample` has it; without it they are of no kind.
    """
    target, mask = batch["target"], batch["mask"]
    found: dict[Metric, Tensor] = {}
    for metric in protocol.metrics.values():
        inner = metric.metric if isinstance(metric, OfSome) else metric
        if inner not in found:
            found[inner] = (
                inner.measure_inside(prediction, target, mask)
                if isinstance(inner, MaskedMetric)
                else inner.measure(prediction, target)
            )
    values = {
        "coverage": 100 * in_float64(mask).flatten(1).sum(1) / mask[0].numel(),
        "kind": batch.get("kind", -torch.ones_like(mask[:, 0, 0, 0])),
    }
    return {
        name: metric.sorted_by(values[metric.by], found[metric.metric]) if isinstance(metric, OfSome) else found[metric]
        for name, metric in protocol.metrics.items()
    }


def inpainting_protocols(kinds: Sequence[MaskKind] = KINDS) -> Mapping[str, EvaluationProtocol]:
    """Ways of measuring filled holes.

    - ``inpainting``: PSNR and mean absolute error inside the hole, PSNR and SSIM of the whole 8-bit image.
    - ``kinds``: these, and the PSNR inside the hole for each kind of drawn holes.
    - ``buckets``: these for each bucket of hole shares, as papers have them.
    """
    whole = Comparison("rgb8")
    metrics: dict[str, Metric] = {
        metric.name: metric for metric in (MaskedPSNR(), MaskedL1(), PSNR(whole), SSIM(whole))
    }
    of_kinds: dict[str, Metric] = {
        f"psnr-{kind}": OfSome(MaskedPSNR(), f"psnr-{kind}", "kind", KINDS.index(kind) - 0.5, KINDS.index(kind) + 0.5)
        for kind in kinds
    }
    of_buckets: dict[str, Metric] = {
        f"{name}-{low}-{high}": OfSome(metric, f"{name} {low}-{high} %", "coverage", low, high)
        for low, high in BUCKETS
        for name, metric in metrics.items()
    }
    found: dict[str, dict[str, Metric]] = {
        "inpainting": metrics,
        "kinds": {**metrics, **of_kinds},
        "buckets": of_buckets,
    }
    return {name: EvaluationProtocol(name, chosen) for name, chosen in found.items()}
