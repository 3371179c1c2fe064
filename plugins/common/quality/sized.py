"""What the quality metrics share: they compare luma from 0 to 255 and leave out images that are too small."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from restore.core.images.pixels import luma
from restore.core.runtime.devices import in_float64
from restore.plugins.common.metrics import Comparison


class SizedImageMetric(ABC):
    """Base of metrics with one value for each image; images below `least_side` are left out of the mean."""

    @property
    @abstractmethod
    def least_side(self) -> int:
        """Shortest side that can be measured, in pixels, with the border."""

    @abstractmethod
    def values(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the value of each image, (B,), of images (B, C, H, W) that are large enough."""

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the value of each image, (B, 1), float64; NaN for images that are smaller than `least_side`."""
        if min(target.shape[-2:]) < self.least_side:
            return in_float64(prediction).new_full((len(prediction), 1), torch.nan)
        return self.values(prediction, target)[:, None]

    def reduce(self, rows: Tensor) -> float:
        """Return the mean over rows; those of images that are too small (NaN) do not count."""
        return float(rows.double().nanmean())


@dataclass(frozen=True)
class LumaMetric(SizedImageMetric):
    """Base of metrics of the luma (BT.601, 0 to 255) of the 8-bit image, for which their constants were chosen."""

    border: int = 0
    """Pixels cropped from each side."""
    smallest: ClassVar[int]
    """Shortest side that can be measured after the border is cropped."""
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    @property
    def convention(self) -> str:
        """What is compared."""
        return "luma 0-255 of 8-bit RGB" + (f", border {self.border}" if self.border else "")

    @property
    def least_side(self) -> int:
        """Shortest side that can be measured, with the border."""
        return self.smallest + 2 * self.border

    def lumas(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the luma of both, (B, 1, H', W'), float64, from 0 to 255. The luma of a gray image is the image."""
        a, b = Comparison("rgb8", self.border)(prediction, target)
        return (a, b) if a.shape[1] == 1 else (luma(a), luma(b))
