"""Continue an image beyond its right and lower edge."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def padded(plane: Tensor, height: int, width: int, padding: Literal["reflect", "edge", "zero"]) -> Tensor:
    """A plane (C, H, W) continued to the right and below, to (C, height, width).

    Reflection swings to and fro, so that an image may be continued by more than its own size; of a single pixel it
    is the pixel.
    """
    own_height, own_width = plane.shape[-2:]
    if (own_height, own_width) == (height, width):
        return plane
    if padding == "zero":
        return F.pad(plane, (0, width - own_width, 0, height - own_height))
    rows, columns = (_source(own, wanted, padding) for own, wanted in ((own_height, height), (own_width, width)))
    return plane[:, rows][:, :, columns]


def _source(own: int, wanted: int, padding: Literal["reflect", "edge"]) -> Tensor:
    """Which of ``own`` pixels each of ``wanted`` pixels repeats."""
    places = torch.arange(wanted)
    if padding == "edge" or own == 1:
        return places.clamp_max(own - 1)
    period = 2 * (own - 1)
    places = places % period
    return torch.minimum(places, period - places)
