"""How well holes were filled: inside the hole, where alone something was done, and over the whole picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from restore.core.measuring import EvaluationProtocol, Metric
from restore.core.task import Batch
from restore.plugins.common.metrics import PSNR, SSIM, Comparison


class HoleMetric(ABC):
    """Base of the metrics that need the mask besides the two pictures."""

    convention: ClassVar[str] = "8-bit RGB, inside the hole"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Statistics as if the whole picture were the hole."""
        return self.measure_inside(prediction, target, torch.ones_like(target[:, :1]))

    def measure_inside(self, prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Sum of errors inside the hole and number of values there, (B, 2) float64.

        Pictures are (B, C, H, W) in [0, 1], masks (B, 1, H, W) with one in the hole.
        """
        seen, wanted = Comparison("rgb8")(prediction, target)
        errors = self._errors(seen - wanted) * mask
        counts = mask.expand_as(errors)
        return torch.stack([errors.flatten(1).sum(1), counts.double().flatten(1).sum(1)], dim=1)

    @abstractmethod
    def _errors(self, differences: Tensor) -> Tensor:
        """What is summed, from differences in 1/255."""


@dataclass(frozen=True)
class HolePSNR(HoleMetric):
    """Peak signal-to-noise ratio inside the hole in dB: of each picture, then the mean; see `PSNR`."""

    name: ClassVar[str] = "psnr"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def _errors(self, differences: Tensor) -> Tensor:
        return differences.square()

    def reduce(self, rows: Tensor) -> float:
        """Mean of the rows' ratios, in dB."""
        return PSNR().reduce(rows)


@dataclass(frozen=True)
class HoleL1(HoleMetric):
    """Mean absolute error inside the hole, in parts of white: of each picture, then the mean."""

    name: ClassVar[str] = "l1"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def _errors(self, differences: Tensor) -> Tensor:
        return differences.abs() / 255

    def reduce(self, rows: Tensor) -> float:
        """Mean of the rows' means; a picture without a hole has none and makes it nan."""
        errors, counts = rows.double().unbind(1)
        return float((errors / counts).mean())


def measured(prediction: Tensor, batch: Batch, protocol: EvaluationProtocol) -> dict[str, Tensor]:
    """Statistics of each sample for every metric: predictions (B, C, H, W) against ``target``, with ``mask``."""
    return {
        name: metric.measure_inside(prediction, batch["target"], batch["mask"])
        if isinstance(metric, HoleMetric)
        else metric.measure(prediction, batch["target"])
        for name, metric in protocol.metrics.items()
    }


def filling_protocols() -> Mapping[str, EvaluationProtocol]:
    """``inpainting``: PSNR and mean absolute error inside the hole, PSNR and SSIM of the whole 8-bit picture."""
    whole = Comparison("rgb8")
    metrics: dict[str, Metric] = {
        "psnr-hole": HolePSNR(),
        "l1-hole": HoleL1(),
        "psnr": PSNR(whole),
        "ssim": SSIM(whole),
    }
    return {"inpainting": EvaluationProtocol("inpainting", metrics)}
