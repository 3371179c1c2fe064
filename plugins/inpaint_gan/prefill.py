"""A smooth continuation into holes, at no cost worth mentioning: something better than gray to begin with."""

from __future__ import annotations

import torch
from einops import repeat
from torch import Tensor
from torch.nn import functional as F

TRUST = 16.0
"""How many times its share counts what is known of a pixel of a coarser level: a sixteenth is enough."""


@torch.no_grad()
def continued_smoothly(pictures: Tensor, masks: Tensor) -> Tensor:
    """Pictures (B, C, H, W), of float32 at least, whose holes, one in masks (B, 1, H, W), are filled from around.

    Each level of a pyramid halves the one before and keeps the mean of its known pixels; from the coarsest level, the
    mean colour, back up, what is not known yet is interpolated from the level above (pull-push; Gortler et al., 1996,
    section 4.3). What is known stays as it is. A picture without a known pixel becomes zero.
    """
    with torch.autocast(pictures.device.type, enabled=False):
        return _pulled_and_pushed(pictures, masks)


def _pulled_and_pushed(pictures: Tensor, masks: Tensor) -> Tensor:
    known = (1 - masks).to(pictures.dtype)
    levels = [(pictures * known, known)]
    while max(levels[-1][0].shape[-2:]) > 1:
        colours, weights = (_halved(plane) for plane in levels[-1])
        trusted = (TRUST * weights).clamp(max=1)
        levels.append((colours * trusted / _positive(weights), trusted))
    filled = torch.zeros_like(levels[-1][0])
    for colours, weights in reversed(levels):
        above = F.interpolate(filled, size=colours.shape[-2:], mode="bilinear")
        filled = torch.lerp(above, colours / _positive(weights), weights.expand_as(above))
    return torch.where(known > 0, pictures, filled)


def _halved(x: Tensor) -> Tensor:
    """Half as high and wide, rounded up; wider than boxes of two pixels, so that no edges of boxes show."""
    tent = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 8
    channels, (height, width) = x.shape[1], x.shape[-2:]
    rows, columns = (repeat(tent, shape, c=channels) for shape in ("k -> c 1 k 1", "k -> c 1 1 k"))
    if height > 1:
        x = F.conv2d(F.pad(x, (0, 0, 1, 1 + height % 2)), rows, stride=(2, 1), groups=channels)
    if width > 1:
        x = F.conv2d(F.pad(x, (1, 1 + width % 2, 0, 0)), columns, stride=(1, 2), groups=channels)
    return x


def _positive(weights: Tensor) -> Tensor:
    return weights.clamp(min=torch.finfo(weights.dtype).tiny * 2**16)
