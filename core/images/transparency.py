"""Transparent images without fringes: colors and alpha are resized separately, and hidden colors do not leak."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from restore.core.images.pixels import pull_push
from restore.core.images.row_format import Levels

_BLOCK, _AROUND = 2048, 128  # pixels

ResizeAlpha = Callable[[Callable[[int, int], Tensor], tuple[int, int], tuple[int, int], int, int], Tensor]
"""Returns some rows of a resized alpha plane; `resize_alpha_rows` is one."""


def bleed_colors(color: Tensor, alpha: Tensor) -> Tensor:
    """Replace the colors (C, H, W) of fully transparent pixels (alpha (1, H, W) is zero) by those of visible neighbors.

    The color of a fully transparent pixel is arbitrary, usually black. A network would spread it across the edge, where
    it shows as a dark fringe. Visible pixels are unchanged. See `pull_push`.
    """
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return color
    return pull_push(color[None], alpha[None])[0]


def continue_levels(levels: Levels) -> Levels:
    """Return levels (H, W, C) with the colors of fully transparent pixels continued; see `bleed_colors`.

    Large images are continued block by block, each with its surroundings: colors deep inside a hidden region do not
    matter. Levels without a hidden pixel are returned as they are.
    """
    height, width, channels = levels.shape
    if channels not in (2, 4):
        return levels
    if not levels.flags.writeable:
        levels = levels.copy()
    for top in range(0, height, _BLOCK):
        for left in range(0, width, _BLOCK):
            rows, columns = slice(top, min(top + _BLOCK, height)), slice(left, min(left + _BLOCK, width))
            hidden = levels[rows, columns, -1] == 0
            if hidden.any():
                _continue_block(levels, rows, columns, hidden)
    return levels


def _continue_block(levels: Levels, rows: slice, columns: slice, hidden: npt.NDArray[np.bool_]) -> None:
    top, left = max(0, rows.start - _AROUND), max(0, columns.start - _AROUND)
    seen = levels[top : rows.stop + _AROUND, left : columns.stop + _AROUND]
    white = np.iinfo(levels.dtype).max
    planes = torch.from_numpy(np.moveaxis(seen, 2, 0).astype(np.float32) / white)
    filled = np.moveaxis(bleed_colors(planes[:-1], planes[-1:]).numpy(), 0, 2)
    own = filled[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    levels[rows, columns, :-1][hidden] = (own[hidden] * white + 0.5).clip(0, white).astype(levels.dtype)


def resize_alpha(alpha: Tensor, height: int, width: int) -> Tensor:
    """Resize an alpha plane (1, H, W) in [0, 1]."""
    rows = partial(_rows, alpha)
    return resize_alpha_rows(rows, (alpha.shape[-2], alpha.shape[-1]), (height, width), 0, height)


def resize_alpha_rows(
    rows: Callable[[int, int], Tensor], size: tuple[int, int], wanted: tuple[int, int], first: int, last: int
) -> Tensor:
    """Return some rows (1, last - first, W) of a resized alpha plane; they do not depend on which others are asked for.

    Bicubic with antialiasing, as Pillow and torch have it (a = -0.5, cut off at the edges).

    Args:
        rows: returns rows (1, h, W) of the plane, from one index to before another.
        size: height and width of the plane.
        wanted: height and width of the resized plane.
        first: first row of the resized plane.
        last: row after the last one.
    """
    if size == wanted:
        return rows(first, last)
    stretch = max(1.0, size[0] / wanted[0])
    centers = (torch.arange(first, last, dtype=torch.float64) + 0.5) * size[0] / wanted[0] - 0.5
    start = max(0, math.floor(float(centers[0]) - 2 * stretch))
    stop = min(size[0], math.ceil(float(centers[-1]) + 2 * stretch) + 1)
    places = torch.arange(start, stop, dtype=torch.float64)
    weights = _cubic((centers[:, None] - places) / stretch)
    weights = weights / weights.sum(1, keepdim=True)
    band = rows(start, stop)
    if size[1] != wanted[1]:
        band = F.interpolate(
            band[None], size=(band.shape[1], wanted[1]), mode="bicubic", align_corners=False, antialias=True
        )[0]
    return (weights @ band.double()).float().clamp(0, 1)


def _rows(alpha: Tensor, first: int, last: int) -> Tensor:
    return alpha[:, first:last]


def _cubic(x: Tensor) -> Tensor:
    """Cubic convolution with a = -0.5 (Keys, 1981, equation 4)."""
    x = x.abs()
    near, far = (1.5 * x - 2.5) * x**2 + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))
