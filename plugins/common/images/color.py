"""Luma and chroma as in MATLAB: ITU-R BT.601 with the studio range 16 to 235."""

from __future__ import annotations

import torch
from torch import Tensor

from restore.core.runtime.devices import in_float64

_WEIGHTS = ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))
_OFFSETS = (16.0, 128.0, 128.0)


def rgb2ycbcr(images: Tensor) -> Tensor:
    """Convert images (..., 3, H, W) to Y, Cb and Cr like MATLAB's ``rgb2ycbcr``.

    uint8 images give uint8, rounded half up: Y in [16, 235], Cb and Cr in [16, 240]. Floating-point images in [0, 1]
    give the same values divided by 255, not rounded. Raises ValueError unless there are three channels.
    """
    return torch.cat([_component(images, index) for index in range(3)], dim=-3)


def studio_luma(images: Tensor) -> Tensor:
    """Return Y alone, (..., 1, H, W): the first channel of `rgb2ycbcr`."""
    return _component(images, 0)


def _component(images: Tensor, index: int) -> Tensor:
    _check(images)
    weights = [weight / 255 for weight in _WEIGHTS[index]]
    if images.dtype == torch.uint8:
        mixed = _mix(in_float64(images), weights) + _OFFSETS[index]
        return (mixed + 0.5).floor().clamp(0, 255).to(torch.uint8).to(images.device)
    return _mix(images, weights) + _OFFSETS[index] / 255


def _mix(images: Tensor, weights: list[float]) -> Tensor:
    red, green, blue = images.chunk(3, dim=-3)
    return weights[0] * red + weights[1] * green + weights[2] * blue


def _check(images: Tensor) -> None:
    if images.dim() < 3 or images.shape[-3] != 3:
        raise ValueError(f"expected images (..., 3, H, W), not {tuple(images.shape)}")
