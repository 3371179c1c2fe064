"""Transparent images without fringes: colors and alpha are resized separately, and hidden colors do not leak."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from restore.core.images.pixels import pull_push


def continued(color: Tensor, alpha: Tensor) -> Tensor:
    """Replace the colors (C, H, W) of fully transparent pixels (alpha (1, H, W) is zero) by those of visible neighbors.

    The color of a fully transparent pixel is arbitrary, usually black. A network would spread it across the edge, where
    it shows as a dark fringe. Visible pixels are unchanged. See `pull_push`.
    """
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return color
    return pull_push(color[None], alpha[None])[0]


def resized_alpha(alpha: Tensor, height: int, width: int) -> Tensor:
    """Resize an alpha plane (1, H, W) in [0, 1]."""
    if alpha.shape[-2:] == (height, width):
        return alpha
    resized = F.interpolate(alpha[None], size=(height, width), mode="bicubic", align_corners=False, antialias=True)
    return resized[0].clamp(0, 1)
