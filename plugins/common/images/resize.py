"""Resizing like MATLAB's ``imresize``, bit for bit for 8-bit images.

Super-resolution tables compare images that were downscaled with MATLAB's bicubic kernel (a = -0.5), which is stretched
for antialiasing. Other libraries use another kernel parameter, another border or no stretching, and differ by tenths of
a decibel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.images.resampling import CUBIC, Border, Kernel, apply_taps, find_taps, scale_length
from restore.core.runtime.devices import in_float64


def imresize(images: Tensor, scale: float, *, border: Border = "clamp") -> Tensor:
    """Resize images (..., H, W) like MATLAB's ``imresize(image, scale, 'bicubic')``.

    uint8 images are rounded half up and clipped after each of the two passes, height first, so the result is exactly
    MATLAB's. Floating-point images are neither rounded nor clipped.

    Returns (..., ceil(H * scale), ceil(W * scale)) of the same dtype. Raises ValueError unless the scale is a positive
    finite number.
    """
    return resample(images, scale, CUBIC, border=border)


def resample(
    images: Tensor, scale: float, kernel: Kernel, *, antialias: bool = True, border: Border = "clamp"
) -> Tensor:
    """Resize images (..., H, W) with any kernel; sums are computed in float64.

    Args:
        images: images of any dtype; uint8 is rounded and clipped after each pass.
        scale: scale factor.
        kernel: interpolation kernel.
        antialias: whether to stretch the kernel when an image is downscaled.
        border: where taps outside the image read.
    """
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale={scale} must be a positive number")
    is_8bit = images.dtype == torch.uint8
    values = in_float64(images)
    for axis in (-2, -1):
        length = values.shape[axis]
        taps = find_taps(length, scale_length(length, scale), scale, kernel, antialias, border)
        values = apply_taps(values, axis, taps)
        if is_8bit:
            values = (values + 0.5).floor().clamp(0, 255)
    return values.to(images.dtype).to(images.device)


def bilinear(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (C, H, W) or (B, C, H, W) to a size (height, width) with a triangle kernel, like Pillow's BILINEAR.

    The kernel is stretched for downscaling (antialiasing) and cut off at the edge. uint8 is computed in floating point
    and rounded. If the size is unchanged, the tensor itself is returned.
    """
    if planes.shape[-2:] == size:
        return planes
    values = planes if planes.is_floating_point() else planes.float()
    batch = values if values.dim() == 4 else values[None]
    resized = F.interpolate(batch, size=size, mode="bilinear", align_corners=False, antialias=True)
    resized = resized if values.dim() == 4 else resized[0]
    return resized if planes.is_floating_point() else resized.round().clamp(0, 255).to(torch.uint8)
