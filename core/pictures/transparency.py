"""See-through pictures without fringes: colours and alpha are enlarged apart, and no hidden colour leaks out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def continued(colour: Tensor, alpha: Tensor) -> Tensor:
    """Colours (C, H, W) in which pixels of alpha (1, H, W) zero take on the colours of the visible ones near them.

    What a fully transparent pixel holds is arbitrary, most often black; a network would carry it across the edge of
    the figure, where it shows as a dark fringe. Coarser and coarser averages, each weighted by alpha, fill the holes
    (the pull-push scheme of Gortler et al., The Lumigraph, 1996). Visible pixels stay exactly as they are.
    """
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return colour
    return torch.where(hidden, _filled(colour * alpha, alpha), colour)


def _filled(weighted: Tensor, weight: Tensor) -> Tensor:
    """Colours everywhere, from colours (C, H, W) multiplied with their weights (1, H, W)."""
    own = weighted / weight.clamp_min(1e-8)
    if (weight > 0).all():
        return own
    height, width = weight.shape[-2:]
    # ceil_mode keeps the last odd row and column; the divisor cancels, as both are averaged alike
    coarse = _filled(*(F.avg_pool2d(plane[None], 2, ceil_mode=True)[0] for plane in (weighted, weight)))
    return torch.where(weight > 0, own, _resized(coarse, height, width))


def resized_alpha(alpha: Tensor, height: int, width: int) -> Tensor:
    """An alpha plane (1, H, W) in [0, 1], smoothly brought to another size."""
    if alpha.shape[-2:] == (height, width):
        return alpha
    resized = F.interpolate(alpha[None], size=(height, width), mode="bicubic", align_corners=False, antialias=True)
    return resized[0].clamp(0, 1)


def _resized(picture: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(picture[None], size=(height, width), mode="bilinear", align_corners=False)[0]
