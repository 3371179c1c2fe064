"""See-through images without fringes: colors and alpha are upscaled apart, and no hidden color leaks out."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from restore.core.images.pixels import pull_push


def continued(color: Tensor, alpha: Tensor) -> Tensor:
    """Colors (C, H, W) in which pixels of alpha (1, H, W) zero take on the colors of the visible ones near them.

    What a fully transparent pixel holds is arbitrary, most often black; a network would carry it across the edge of
    the figure, where it shows as a dark fringe. See `pull_push`. Visible pixels stay exactly as they are.
    """
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return color
    return pull_push(color[None], alpha[None])[0]


def resized_alpha(alpha: Tensor, height: int, width: int) -> Tensor:
    """An alpha plane (1, H, W) in [0, 1], smoothly brought to another size."""
    if alpha.shape[-2:] == (height, width):
        return alpha
    resized = F.interpolate(alpha[None], size=(height, width), mode="bicubic", align_corners=False, antialias=True)
    return resized[0].clamp(0, 1)
