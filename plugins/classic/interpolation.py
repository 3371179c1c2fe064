"""Upscaling an image by looking between its pixels.

A pixel is a small square with its color at the center. The center of pixel ``x`` of the upscaled image lies in the
source at `source_position`; each method is another way of reading a color between the four or more pixels around it.
All functions take and return images (..., H, W) with any range of values, and give ``ceil(H * scale)`` rows and
``ceil(W * scale)`` columns.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.runtime.devices import in_float64
from restore.plugins.common.images.resize import LANCZOS, TRIANGLE, imresize, resample, resized_length


def source_position(pixel: float, scale: float) -> float:
    """Where a pixel of the upscaled image lies in the source, in pixels between centers.

    >>> [source_position(pixel, 2) for pixel in range(4)]
    [-0.25, 0.25, 0.75, 1.25]

    ``pixel / scale``, which is often printed instead, takes corners for centers and moves the image: at ``scale`` 2
    by a quarter of a pixel towards the right and the bottom.
    """
    return (pixel + 0.5) / scale - 0.5


def linear_weights(position: float) -> tuple[float, float]:
    """Shares of the pixel before a position and of the one after it, in linear interpolation.

    The nearer pixel has the larger share: at 1.25 between pixels 1 and 2, three quarters and one quarter.

    >>> linear_weights(1.25)
    (0.75, 0.25)
    >>> before, after = linear_weights(source_position(3, 2))
    >>> before * 10 + after * 30  # pixel 3 of [0, 10, 30] made twice as large
    15.0
    """
    share = position % 1
    return 1 - share, share


def nearest(images: Tensor, scale: float) -> Tensor:
    """The color of the nearest pixel; of two equally near ones the first."""
    for axis in (-2, -1):
        length = images.shape[axis]
        pixels = torch.arange(resized_length(length, scale), dtype=torch.float64)
        positions = (pixels + 0.5) / scale - 0.5
        indices = (positions - 0.5).ceil().long().clamp(0, length - 1)
        images = images.index_select(axis, indices.to(images.device))
    return images


def bilinear(images: Tensor, scale: float) -> Tensor:
    """Linear interpolation along the columns, then along the rows."""
    return resample(images, scale, TRIANGLE)


def bicubic(images: Tensor, scale: float) -> Tensor:
    """MATLAB's ``imresize``, whose numbers the tables of super-resolution quote; values in [0, 1].

    Images that hold nothing but 8-bit values are computed in uint8, as MATLAB does: rounded and clipped after each of
    the two passes. Others are neither rounded nor clipped.
    """
    values = in_float64(images) * 255
    levels = values.round()
    if bool(((values - levels).abs() < 1e-3).all() & (levels >= 0).all() & (levels <= 255).all()):
        return imresize(levels.to(torch.uint8), scale).to(images.dtype).to(images.device) / 255
    return imresize(images, scale)


def bicubic_antialias(images: Tensor, scale: float) -> Tensor:
    """PyTorch's bicubic with ``antialias``: the kernel of Pillow (a = -0.5), which ends at the image's edge."""
    size = [resized_length(length, scale) for length in images.shape[-2:]]
    planes = images.flatten(end_dim=-3).unsqueeze(1)
    return F.interpolate(planes, size=size, mode="bicubic", antialias=True).view(*images.shape[:-2], *size)


def lanczos(images: Tensor, scale: float) -> Tensor:
    """Sinc interpolation over six pixels, windowed (Duchon, 1979); beyond the edge its last pixel goes on."""
    return resample(images, scale, LANCZOS)
