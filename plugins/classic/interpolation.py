"""Upscaling by interpolation.

A pixel is a square with its color at the center. `source_position` gives the position, in the source, of the center of
pixel ``x`` of the upscaled image; each method interpolates a color there from the surrounding pixels. All functions map
images (..., H, W) with any range of values to (..., ceil(H * scale), ceil(W * scale)).
"""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.images.resampling import CUBIC, LANCZOS, TRIANGLE, Kernel, scale_length
from restore.core.runtime.devices import in_float64
from restore.plugins.common.images.resize import imresize, resample


def source_position(pixel: float, scale: float) -> float:
    """Return where a pixel of the upscaled image lies in the source, in pixels between centers.

    >>> [source_position(pixel, 2) for pixel in range(4)]
    [-0.25, 0.25, 0.75, 1.25]

    ``pixel / scale``, which is often printed instead, confuses corners with centers and moves the image: at ``scale`` 2
    by a quarter of a pixel to the right and down.
    """
    return (pixel + 0.5) / scale - 0.5


def linear_weights(position: float) -> tuple[float, float]:
    """Return the weights of the pixels before and after a position, for linear interpolation.

    The nearer pixel has the larger weight: at 1.25, between pixels 1 and 2, three quarters and one quarter.

    >>> linear_weights(1.25)
    (0.75, 0.25)
    >>> before, after = linear_weights(source_position(3, 2))
    >>> before * 10 + after * 30  # pixel 3 of [0, 10, 30] upscaled twice
    15.0
    """
    share = position % 1
    return 1 - share, share


def nearest(images: Tensor, scale: float) -> Tensor:
    """Return the color of the nearest pixel; of two equally near pixels, the first."""
    up, down = Fraction(scale).limit_denominator(2**20).as_integer_ratio()
    for axis in (-2, -1):
        length = images.shape[axis]
        pixels = torch.arange(scale_length(length, scale))
        # The position less one half, rounded up; in integers, so that a part of an image has the same ties.
        indices = -((2 * up - (2 * pixels + 1) * down).div(2 * up, rounding_mode="floor"))
        indices = indices.clamp(0, length - 1)
        images = images.index_select(axis, indices.to(images.device))
    return images


def bilinear(images: Tensor, scale: float) -> Tensor:
    """Interpolate linearly along columns, then along rows."""
    return resample(images, scale, TRIANGLE)


def bicubic(images: Tensor, scale: float) -> Tensor:
    """Upscale images with values in [0, 1] like MATLAB's ``imresize``, which published super-resolution tables use.

    Where all values around are of 8 bits, pixels are computed in uint8, as in MATLAB: rounded and clipped after each of
    the two passes. Others are neither rounded nor clipped. So a part of an image becomes what it is in the whole.
    """
    values = in_float64(images) * 255
    levels = values.round()
    others = ((values - levels).abs() >= 1e-3) | (levels < 0) | (levels > 255)
    if not others.any():
        return _from_levels(levels, images, scale)
    near_others = resample(others.to(images.dtype), scale, _SUPPORT) > 0
    smooth = imresize(images, scale)
    return smooth if near_others.all() else torch.where(near_others, smooth, _from_levels(levels, images, scale))


_SUPPORT = Kernel(lambda x: (x.abs() < 2).to(x.dtype), CUBIC.width)  # of the cubic kernel


def _from_levels(levels: Tensor, like: Tensor, scale: float) -> Tensor:
    """Upscale 8-bit levels; return values in [0, 1] of the type and device of a tensor."""
    resized = imresize(levels.clamp(0, 255).to(torch.uint8), scale)
    return resized.to(like.dtype).to(like.device) / 255


def bicubic_antialias(images: Tensor, scale: float) -> Tensor:
    """Upscale with PyTorch's bicubic and ``antialias``: Pillow's kernel (a = -0.5), cut off at the image's edge."""
    size = [scale_length(length, scale) for length in images.shape[-2:]]
    planes = images.flatten(end_dim=-3).unsqueeze(1)
    return F.interpolate(planes, size=size, mode="bicubic", antialias=True).view(*images.shape[:-2], *size)


def lanczos(images: Tensor, scale: float) -> Tensor:
    """Interpolate with a windowed sinc over six pixels (Duchon, 1979); edges are repeated."""
    return resample(images, scale, LANCZOS)
