"""Gradient magnitude similarity deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from restore.plugins.common.quality.sized import LumaMetric

STABILITY = 170.0
"""The constant c of equation 4 for luma from 0 to 255."""


@dataclass(frozen=True)
class GMSD(LumaMetric):
    """Standard deviation of the similarity of gradient magnitudes (Xue et al., 2014); 0 is equal.

    The luma is halved by means of 2x2 pixels (a last odd row or column is dropped); gradients are Prewitt's with zeros
    outside the image; the deviation divides by the number of pixels, as equation 6 does.
    """

    name: ClassVar[str] = "gmsd"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    smallest: ClassVar[int] = 6

    @override
    def values(self, prediction: Tensor, target: Tensor) -> Tensor:
        a, b = (_gradient_magnitude(F.avg_pool2d(image, 2)) for image in self.lumas(prediction, target))
        similarity = (2 * a * b + STABILITY) / (a.square() + b.square() + STABILITY)
        return similarity.flatten(1).std(1, correction=0)


def _gradient_magnitude(image: Tensor) -> Tensor:
    """Return the gradient magnitude (B, 1, H, W) by Prewitt's filters, whose weights are thirds."""
    slope = torch.tensor([1.0, 0.0, -1.0], dtype=image.dtype, device=image.device) / 3
    horizontal = slope.expand(3, 3)
    filters = torch.stack([horizontal, horizontal.T])[:, None]  # (2, 1, 3, 3)
    return F.conv2d(image, filters, padding=1).square().sum(1, keepdim=True).sqrt()
