"""Luma and chroma as MATLAB computes them: ITU-R BT.601 with the studio range 16 to 235."""

from __future__ import annotations

import torch
from torch import Tensor

from restore.core.runtime.devices import in_float64

_WEIGHTS = ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))
_OFFSETS = (16.0, 128.0, 128.0)


def rgb2ycbcr(pictures: Tensor) -> Tensor:
    """Y, Cb and Cr of pictures (..., 3, H, W), as ``rgb2ycbcr`` of MATLAB.

    uint8 pictures give uint8, rounded half up: Y in [16, 235], Cb and Cr in [16, 240]. Floating-point pictures in
    [0, 1] give the same values divided by 255 and not rounded. Raises ValueError when there are not three channels.
    """
    return torch.cat([_component(pictures, index) for index in range(3)], dim=-3)


def studio_luma(pictures: Tensor) -> Tensor:
    """Y alone, (..., 1, H, W): the first channel of `rgb2ycbcr`."""
    return _component(pictures, 0)


def _component(pictures: Tensor, index: int) -> Tensor:
    _check(pictures)
    weights = [weight / 255 for weight in _WEIGHTS[index]]
    if pictures.dtype == torch.uint8:
        mixed = _mixed(in_float64(pictures), weights) + _OFFSETS[index]
        return (mixed + 0.5).floor().clamp(0, 255).to(torch.uint8).to(pictures.device)
    return _mixed(pictures, weights) + _OFFSETS[index] / 255


def _mixed(pictures: Tensor, weights: list[float]) -> Tensor:
    red, green, blue = pictures.chunk(3, dim=-3)
    return weights[0] * red + weights[1] * green + weights[2] * blue


def _check(pictures: Tensor) -> None:
    if pictures.dim() < 3 or pictures.shape[-3] != 3:
        raise ValueError(f"expected pictures (..., 3, H, W), not {tuple(pictures.shape)}")
