"""Multi-scale structural similarity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from restore.plugins.common.metric_settings import Color
from restore.plugins.common.metrics import Comparison, mean_similarity
from restore.plugins.common.quality.sized import SizedImageMetric

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, the finest first (Wang et al., 2003, section 3.2)."""
SMALLEST = 176
"""Shortest side in pixels: 11 at the coarsest scale."""


@dataclass(frozen=True)
class MSSSIM(SizedImageMetric):
    """Structural similarity at five scales in [0, 1] (Wang et al., 2003), averaged over images.

    The windows are those of `SSIM`. Each scale halves the image by means of 2x2 pixels; a last odd row or column is
    dropped. The product of the scales is taken for each channel, negative similarities count as zero, and channels are
    averaged.
    """

    comparison: Comparison = field(default_factory=Comparison)
    name: ClassVar[str] = "ms-ssim"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    @property
    def convention(self) -> str:
        """What was compared."""
        return f"{self.comparison.convention}, {len(WEIGHTS)} scales"

    @property
    @override
    def least_side(self) -> int:
        return SMALLEST + 2 * self.comparison.border

    @override
    def values(self, prediction: Tensor, target: Tensor) -> Tensor:
        a, b = self.comparison(prediction, target)
        product = torch.ones_like(a[:, :, 0, 0])  # (B, C)
        for scale, weight in enumerate(WEIGHTS):
            coarsest = scale == len(WEIGHTS) - 1
            similarity = mean_similarity(a, b)[..., 0 if coarsest else 1]  # luminance counts at the coarsest alone
            product = product * similarity.clamp(min=0) ** weight
            if not coarsest:
                a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        return product.mean(1)


def build_ms_ssim(color: Color = "rgb8", border: int = 0) -> MSSSIM:
    """Build the MS-SSIM of settings; see `Comparison`."""
    return MSSSIM(Comparison(color, border))
