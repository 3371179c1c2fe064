"""Resizing smoothly and fast, where no published number depends on the kernel."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def bilinear(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """Planes (C, H, W) or (B, C, H, W) at another size (height, width), with the triangle that Pillow's BILINEAR has.

    The triangle is stretched where planes shrink, so that nothing aliases, and ends at the edge. uint8 is computed in
    floating point and rounded. Planes of this size are returned as they are.
    """
    if planes.shape[-2:] == size:
        return planes
    values = planes if planes.is_floating_point() else planes.float()
    batch = values if values.dim() == 4 else values[None]
    resized = F.interpolate(batch, size=size, mode="bilinear", align_corners=False, antialias=True)
    resized = resized if values.dim() == 4 else resized[0]
    return resized if planes.is_floating_point() else resized.round().clamp(0, 255).to(torch.uint8)
