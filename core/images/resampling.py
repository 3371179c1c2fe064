"""Resampling along one axis: interpolation kernels, and the source pixels that each resized pixel is a sum of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Border = Literal["clamp", "mirror", "exclude"]
"""Where taps outside the image read: the nearest pixel, the mirrored one (newer MATLAB), or nowhere (Pillow)."""


def cubic(x: Tensor) -> Tensor:
    """Cubic convolution with a = -0.5 (Keys, 1981, equation 4)."""
    x = x.abs()
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x <= 1, near, torch.where(x <= 2, far, torch.zeros_like(x)))


def triangle(x: Tensor) -> Tensor:
    """Linear interpolation: the weight falls from one to zero within one pixel."""
    return (1 - x.abs()).clamp(min=0)


def lanczos(x: Tensor) -> Tensor:
    """Sinc windowed by the main lobe of a three times wider sinc (Duchon, 1979)."""
    return torch.where(x.abs() < 3, torch.sinc(x) * torch.sinc(x / 3), torch.zeros_like(x))


@dataclass(frozen=True)
class Kernel:
    """An interpolation kernel."""

    weight: Callable[[Tensor], Tensor]
    """Weight of a source pixel as a function of its distance in source pixels."""
    width: float
    """Width of the support in source pixels."""


CUBIC = Kernel(cubic, 4)
TRIANGLE = Kernel(triangle, 2)
LANCZOS = Kernel(lanczos, 6)


def scale_length(length: int, scale: float) -> int:
    """Return the length of a side after resizing.

    >>> scale_length(10, 1 / 4), scale_length(33, 1 / 3), scale_length(32, 2.5)
    (3, 11, 80)
    """
    # A scale such as 1/49 is inexact in floating point; without the tolerance 49 pixels could become two.
    return max(1, math.ceil(length * scale - 1e-9 * length))


@dataclass(frozen=True)
class Taps:
    """The source pixels of each pixel of a resized line."""

    indices: Tensor
    """(pixels, taps), int64."""
    weights: Tensor
    """(pixels, taps), float64; each row sums to one."""


@lru_cache(maxsize=256)  # datasets use the same few lengths again and again
def find_taps(
    length: int, resized: int, scale: float, kernel: Kernel, antialias: bool = True, border: Border = "clamp"
) -> Taps:
    """Return the taps of a line.

    Args:
        length: pixels of the line.
        resized: pixels of the resized line.
        scale: resized pixels per source pixel.
        kernel: interpolation kernel.
        antialias: whether to stretch the kernel when the line is downscaled.
        border: where taps outside the line read.
    """
    stretch = min(scale, 1.0) if antialias else 1.0
    width = kernel.width / stretch
    with torch.inference_mode(mode=False):  # cached tensors must serve later calls that need gradients
        # The center of resized pixel i lies at (i + 1/2) / scale of the source, whose pixel centers lie at j + 1/2.
        centers = (torch.arange(resized, dtype=torch.float64) + 0.5) / scale - 0.5
        first = (centers - width / 2).floor()
        indices = first[:, None] + torch.arange(math.ceil(width) + 2)
        weights = kernel.weight((centers[:, None] - indices) * stretch)
        if border == "exclude":
            weights = weights * ((indices >= 0) & (indices < length))
        weights = weights / weights.sum(1, keepdim=True)
        used = (weights != 0).any(0)
        indices, weights = indices[:, used].long(), weights[:, used]
        if border == "mirror":
            indices = indices.remainder(2 * length)
            indices = torch.minimum(indices, 2 * length - 1 - indices)
        return Taps(indices.clamp(0, length - 1).contiguous(), weights.contiguous())


def find_nearest(length: int, resized: int) -> Taps:
    """Return taps that repeat the nearest pixel, for numbers that must not be mixed."""
    places = (2 * torch.arange(resized) + 1) * length
    return Taps(places.div(2 * resized, rounding_mode="floor")[:, None], torch.ones(resized, 1, dtype=torch.float64))


def apply_taps(values: Tensor, axis: int, taps: Taps) -> Tensor:
    """Replace an axis of float64 values by the weighted sums of its taps."""
    lines = values.movedim(axis, 0)
    table = lines.reshape(lines.shape[0], -1)
    indices, weights = taps.indices.to(values.device), taps.weights.to(values.device)
    # One bag of weighted rows per resized pixel: the product with the weight matrix, without its zeros.
    sums = F.embedding_bag(indices, table, per_sample_weights=weights, mode="sum")
    return sums.reshape(-1, *lines.shape[1:]).movedim(0, axis)
