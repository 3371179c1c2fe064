"""Pad an image at its right and lower edge."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def padded(plane: Tensor, height: int, width: int, padding: Literal["reflect", "edge", "zero"]) -> Tensor:
    """Pad a plane (C, H, W) at its right and lower edge to (C, height, width).

    Reflection repeats back and forth, so the padding may be larger than the image; a single pixel is repeated.
    """
    own_height, own_width = plane.shape[-2:]
    if (own_height, own_width) == (height, width):
        return plane
    if padding == "zero":
        return F.pad(plane, (0, width - own_width, 0, height - own_height))
    rows, columns = (_source(own, wanted, padding) for own, wanted in ((own_height, height), (own_width, width)))
    return plane[:, rows][:, :, columns]


def _source(own: int, wanted: int, padding: Literal["reflect", "edge"]) -> Tensor:
    """Return, for each of ``wanted`` pixels, the index of the one of ``own`` pixels that it repeats."""
    places = torch.arange(wanted)
    if padding == "edge" or own == 1:
        return places.clamp_max(own - 1)
    period = 2 * (own - 1)
    places = places % period
    return torch.minimum(places, period - places)
