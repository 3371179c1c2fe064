"""Metrics of inpainting: inside the hole, and of the whole image."""

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
from restore.core.metrics import EvaluationProtocol, Metric, PartialMetric, measure_batch
from restore.core.runtime.devices import in_float64
from restore.plugins.common.masks.settings import KINDS, MaskKind
from restore.plugins.common.metrics import PSNR, SSIM, Comparison

BUCKETS = ((0, 10), (10, 20), (20, 30), (30, 40), (40, 50), (50, 60), (60, 100))
"""Ranges of coverage in percent, as in papers, and one for larger holes. A range includes its upper bound."""


class HoleMetric(ABC):
    """Base of the metrics of errors inside the hole.

    Images without a hole are left out; the result is NaN if no image has a hole.
    """

    convention: ClassVar[str] = "8-bit RGB, inside the hole"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the statistics with the whole image as the hole."""
        return self.measure_inside(prediction, target, torch.ones_like(target[:, :1]))

    def measure_inside(self, prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the sum of errors inside the hole and the number of values there, (B, 2), float64.

        Args:
            prediction: images (B, C, H, W) in [0, 1].
            target: images (B, C, H, W) in [0, 1].
            mask: masks (B, 1, H, W), 1 inside the hole.
        """
        seen, wanted = Comparison("rgb8")(prediction, target)
        inside = in_float64(mask)
        errors = self._errors(seen - wanted) * inside
        counts = inside.expand_as(errors)
        return torch.stack([errors.flatten(1).sum(1), counts.flatten(1).sum(1)], dim=1)

    @abstractmethod
    def _errors(self, differences: Tensor) -> Tensor:
        """Return the errors to sum, from differences in units of 1/255."""


def _in_mask(rows: Tensor) -> Tensor:
    return rows.double()[rows[:, 1] > 0]


@dataclass(frozen=True)
class MaskedPSNR(HoleMetric):
    """Peak signal-to-noise ratio inside the hole in dB, averaged over images; see `PSNR`."""

    name: ClassVar[str] = "masked-psnr"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    limit: ClassVar[float] = PSNR.limit
    """Decibels that an image counts at most when the best weights are chosen."""

    @override
    def _errors(self, differences: Tensor) -> Tensor:
        return differences.square()

    def reduce(self, rows: Tensor) -> float:
        """Return the mean over rows, in dB."""
        return PSNR().reduce(_in_mask(rows))


@dataclass(frozen=True)
class MaskedL1(HoleMetric):
    """Mean absolute error inside the hole, relative to white, averaged over images."""

    name: ClassVar[str] = "masked-l1"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    @override
    def _errors(self, differences: Tensor) -> Tensor:
        return differences.abs() / 255

    def reduce(self, rows: Tensor) -> float:
        """Return the mean over rows."""
        errors, counts = _in_mask(rows).unbind(1)
        return float((errors / counts).mean())


@dataclass(frozen=True)
class OfSome(PartialMetric):
    """Another metric over some of the images: those with masks of one kind, or with a coverage in one range.

    The first value of each row is the kind or the coverage. The result is NaN if there is no such image.
    """

    metric: Metric
    name: str
    by: Literal["kind", "coverage"]
    """What selects the images: the kind of their masks, or the coverage in percent."""
    above: float
    upto: float
    """Images with ``above < value <= upto`` belong to the metric."""

    @property
    def convention(self) -> str:
        """Convention of the other metric."""
        return self.metric.convention

    @property
    def better(self) -> Literal["higher", "lower"]:
        """Whether higher or lower values are better, as for the other metric."""
        return self.metric.better

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the statistics with the whole image as a hole of unknown kind."""
        values = torch.full_like(target[:, 0, 0, 0], 100 if self.by == "coverage" else -1)
        return self.prepend(values, self.metric.measure(prediction, target))

    def prepend(self, values: Tensor, rows: Tensor) -> Tensor:
        """Return rows (B, 1 + K) from the kind or coverage (B,) and the rows (B, K) of the other metric."""
        return torch.cat([values[:, None].to(rows), rows], dim=1)

    def reduce(self, rows: Tensor) -> float:
        """Return the other metric's result for the rows that belong to it."""
        own = rows[(rows[:, 0] > self.above) & (rows[:, 0] <= self.upto), 1:]
        return self.metric.reduce(own) if len(own) else math.nan


def measure_samples(prediction: Tensor, batch: Batch, protocol: EvaluationProtocol) -> dict[str, Tensor]:
    """Return the statistics of each sample for every metric.

    Args:
        prediction: images (B, C, H, W) in [0, 1].
        batch: ``target``, ``mask`` and optionally ``kind`` (B,), as in `dataset.make_sample`; default: unknown.
        protocol: the metrics.
    """
    mask = batch["mask"]
    values = {
        "coverage": 100 * in_float64(mask).flatten(1).sum(1) / mask[0].numel(),
        "kind": batch.get("kind", -torch.ones_like(mask[:, 0, 0, 0])),
    }
    found: list[tuple[Metric, Tensor]] = []  # a registered metric may have no hash
    statistics = {}
    for name, metric in protocol.items():
        inner = metric.metric if isinstance(metric, OfSome) else metric
        rows = next((rows for other, rows in found if other == inner), None)
        if rows is None:
            rows = measure_batch(inner, prediction, batch)
            found.append((inner, rows))
        statistics[name] = metric.prepend(values[metric.by], rows) if isinstance(metric, OfSome) else rows
    return statistics


def build_whole_set() -> EvaluationProtocol:
    """Return the protocol ``inpainting`` of `inpainting_protocols`."""
    return inpainting_protocols()["inpainting"]


def build_by_coverage() -> EvaluationProtocol:
    """Return the protocol ``buckets`` of `inpainting_protocols`."""
    return inpainting_protocols()["buckets"]


def inpainting_protocols(kinds: Sequence[MaskKind] = KINDS) -> Mapping[str, EvaluationProtocol]:
    """Return the protocols of inpainting.

    - ``inpainting``: PSNR and mean absolute error inside the hole; PSNR and SSIM of the whole 8-bit image.
    - ``kinds``: also the PSNR inside the hole for each kind of drawn masks.
    - ``buckets``: the metrics of ``inpainting`` for each range of coverage, as in papers.
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
    return {"inpainting": metrics, "kinds": {**metrics, **of_kinds}, "buckets": of_buckets}
