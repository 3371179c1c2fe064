"""Haar wavelet-based perceptual similarity index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from restore.plugins.common.metrics import Comparison
from restore.plugins.common.quality.sized import LumaMetric

STABILITY, SLOPE = 30.0, 4.2
"""The constants C and alpha that the authors fitted, for values from 0 to 255."""
YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))
"""Luma and the two chroma axes of NTSC, as rows of a matrix for RGB."""


@dataclass(frozen=True)
class HaarPSI(LumaMetric):
    """Perceptual similarity of Haar wavelet coefficients in [0, 1] (Reisenhofer et al., 2018); 1 is equal.

    Color images are compared as YIQ, gray ones by their values. The image is halved by means of 2x2 pixels first (a
    last odd row or column is dropped); outside it are zeros.
    """

    name: ClassVar[str] = "haarpsi"
    smallest: ClassVar[int] = 16

    @property
    @override
    def convention(self) -> str:
        return "8-bit YIQ" + (f", border {self.border}" if self.border else "")

    @override
    def values(self, prediction: Tensor, target: Tensor) -> Tensor:
        a, b = (_to_yiq(F.avg_pool2d(image, 2)) for image in Comparison("rgb8", self.border)(prediction, target))
        similarities, weights = [], []
        for axis in (-2, -1):
            fine = [_similar(*(haar_coefficients(image[:, :1], level, axis) for image in (a, b))) for level in (1, 2)]
            similarities.append((fine[0] + fine[1]) / 2)
            weights.append(torch.maximum(*(haar_coefficients(image[:, :1], 3, axis) for image in (a, b))))
        if a.shape[1] == 3:
            chroma = (F.avg_pool2d(F.pad(image[:, 1:], (0, 1, 0, 1)), 2, stride=1).abs() for image in (a, b))
            similarities.append(_similar(*chroma).mean(1, keepdim=True))
            weights.append((weights[0] + weights[1]) / 2)
        similarity, weight = torch.cat(similarities, 1).flatten(1), torch.cat(weights, 1).flatten(1)
        weight = weight + torch.finfo(weight.dtype).eps  # two images without any edge are weighted evenly
        mean = (torch.sigmoid(SLOPE * similarity) * weight).sum(1) / weight.sum(1)
        return (torch.logit(mean) / SLOPE) ** 2


def _to_yiq(image: Tensor) -> Tensor:
    if image.shape[1] == 1:
        return image
    return torch.einsum("yc,bchw->byhw", image.new_tensor(YIQ), image)


def _similar(a: Tensor, b: Tensor) -> Tensor:
    similarity: Tensor = (2 * a * b + STABILITY) / (a.square() + b.square() + STABILITY)
    return similarity


def haar_coefficients(image: Tensor, level: int, axis: int) -> Tensor:
    """Return the magnitude of the undecimated Haar coefficients of a level (B, 1, H, W), across one axis.

    The filter has sides of 2^level pixels, of which half are added and half are subtracted, and is aligned as MATLAB's
    ``conv2(..., 'same')``.
    """
    side: int = 2**level
    half = side // 2
    padded = F.pad(image, (half - 1, half, half - 1, half))
    shape = (half, side) if axis == -2 else (side, half)
    means = F.avg_pool2d(padded, shape, stride=1)
    kept = means.shape[axis] - half
    difference: Tensor = means.narrow(axis, half, kept) - means.narrow(axis, 0, kept)
    return difference.abs() * half
