"""The hole of a mask of any size, one byte a pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from restore.core.inference.readers import ImageReader
from restore.plugins.common.inpainting.regions import Hole

_AT_ONCE = 2**20  # pixels


@dataclass(frozen=True)
class HoleReader:
    """A hole as an input of the engine: (1, H, W), 1 inside, else 0."""

    hole: Hole

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        height, width = self.hole.shape
        return 1, height, width

    def window(self, rows: slice, columns: slice) -> Tensor:
        """Return a window (1, h, w)."""
        return torch.from_numpy(self.hole[rows, columns])[None].float()


def read_hole(mask: ImageReader) -> Hole:
    """Return where a mask (1, H, W) is more than one half."""
    if isinstance(mask, HoleReader):
        return mask.hole
    _, height, width = mask.shape
    hole = np.empty((height, width), np.bool_)
    for rows in iterate_strips(height, width):
        hole[rows] = (mask.window(rows, slice(0, width))[0] > 0.5).numpy()
    return hole


def iterate_strips(height: int, width: int) -> Iterator[slice]:
    """Yield the rows of an image, about a million pixels at a time."""
    step = max(1, _AT_ONCE // max(width, 1))
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def is_gray_outside(image: ImageReader, hole: Hole) -> bool:
    """Return whether the three channels of an image are equal outside the hole."""
    height, width = hole.shape
    for rows in iterate_strips(height, width):
        part = image.window(rows, slice(0, width))
        known = torch.from_numpy(~hole[rows])
        if bool(((part != part[:1]) & known).any()):
            return False
    return True
