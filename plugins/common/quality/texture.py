"""Whether an output has as much texture as its target, wherever the texture lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from restore.plugins.common.quality.haar import haar_coefficients
from restore.plugins.common.quality.sized import LumaMetric

STABILITY = 30.0
"""That of HaarPSI, for the same coefficients of values from 0 to 255."""
WINDOW, LEVELS = 8, (1, 2, 3)


@dataclass(frozen=True)
class TextureSimilarity(LumaMetric):
    """Similarity of local texture in [0, 1]; 1 is equal.

    What is compared is the root mean square of Haar wavelet coefficients in windows of 8x8 pixels, every 4 pixels, at
    three levels and in two orientations; the larger one of two values is their weight. Structural texture similarity
    (Zujovic et al., 2013) compares the variances of subbands for the same reason: an edge or a texture that is a pixel
    off looks right, which PSNR and SSIM punish more than blur. It does not see where in a window something lies, so it
    stands beside PSNR and SSIM and does not replace them.
    """

    degraded: str = ""
    """What degraded the inputs; see `Comparison`."""
    name: ClassVar[str] = "texture"
    smallest: ClassVar[int] = WINDOW

    @property
    @override
    def convention(self) -> str:
        degraded = f", {self.degraded}" if self.degraded else ""
        return f"Haar, {WINDOW}x{WINDOW}, 8-bit luma" + (f", border {self.border}" if self.border else "") + degraded

    @override
    def values(self, prediction: Tensor, target: Tensor) -> Tensor:
        a, b = self.lumas(prediction, target)
        above, below = torch.zeros_like(a[:, 0, 0, 0]), torch.zeros_like(a[:, 0, 0, 0])
        for level in LEVELS:
            for axis in (-2, -1):
                one, other = (_local_energy(haar_coefficients(image, level, axis)) for image in (a, b))
                similarity = (2 * one * other + STABILITY) / (one.square() + other.square() + STABILITY)
                weight = torch.maximum(one, other) + torch.finfo(one.dtype).eps
                above += (similarity * weight).sum((1, 2, 3))
                below += weight.sum((1, 2, 3))
        return above / below


def _local_energy(coefficients: Tensor) -> Tensor:
    return F.avg_pool2d(coefficients.square(), WINDOW, stride=WINDOW // 2).sqrt()
