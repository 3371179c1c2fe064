"""Continue an image beyond its right and lower edge."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from restore.core.inference.readers import ImageReader, TensorReader

Padding = Literal["reflect", "edge", "zero"]


def pad(plane: Tensor, height: int, width: int, padding: Padding) -> Tensor:
    """Pad a plane (C, H, W) at its right and lower edge to (C, height, width).

    Reflection repeats back and forth, so the padding may be larger than the image; a single pixel is repeated.
    """
    if plane.shape[-2:] == (height, width):
        return plane
    return read_window(TensorReader(plane), slice(0, height), slice(0, width), padding)


def read_window(plane: ImageReader, rows: slice, columns: slice, padding: Padding) -> Tensor:
    """Return a window (C, h, w) of a plane; parts of it may lie to the right of the plane and below, see `pad`."""
    _, height, width = plane.shape
    if rows.stop <= height and columns.stop <= width:
        return plane.window(rows, columns)
    if padding == "zero":
        inside = [slice(min(part.start, own), min(part.stop, own)) for part, own in ((rows, height), (columns, width))]
        found = plane.window(*inside)
        missing = [
            part.stop - part.start - length for part, length in zip((rows, columns), found.shape[-2:], strict=True)
        ]
        return F.pad(found, (0, missing[1], 0, missing[0]))
    down, across = _source(height, rows, padding), _source(width, columns, padding)
    top, left = int(down.min()), int(across.min())
    found = plane.window(slice(top, int(down.max()) + 1), slice(left, int(across.max()) + 1))
    return found[:, down - top][:, :, across - left]


def _source(own: int, wanted: slice, padding: Literal["reflect", "edge"]) -> Tensor:
    """Return, for each wanted place, the index of the one of ``own`` pixels that it repeats."""
    places = torch.arange(wanted.start, wanted.stop)
    if padding == "edge" or own == 1:
        return places.clamp_max(own - 1)
    period = 2 * (own - 1)
    places = places % period
    return torch.minimum(places, period - places)
