"""Where the holes of a large picture are: which belong together, and how much around them is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from restore.plugins.common.masks.reading import grown


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: rows and columns from the first to before the last."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def place(self) -> tuple[slice, slice, slice]:
        """What takes the rectangle out of a picture (C, H, W)."""
        return slice(None), slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def largest_side(self) -> int:
        """Pixels of the longer side."""
        return max(self.bottom - self.top, self.right - self.left)

    def wider(self, pixels: int, height: int, width: int) -> Box:
        """With so many pixels more on each side, as far as the picture goes."""
        return Box(
            max(0, self.top - pixels),
            min(height, self.bottom + pixels),
            max(0, self.left - pixels),
            min(width, self.right + pixels),
        )

    def within(self, outer: Box) -> Box:
        """The same rectangle, counted from the corner of one around it."""
        return Box(self.top - outer.top, self.bottom - outer.top, self.left - outer.left, self.right - outer.left)

    def at_least(self, side: int, height: int, width: int) -> Box:
        """With ``side`` pixels each way around the same middle, moved into the picture; whole where it is smaller."""
        top, bottom = _widened(self.top, self.bottom, side, height)
        left, right = _widened(self.left, self.right, side, width)
        return Box(top, bottom, left, right)


def _widened(first: int, last: int, side: int, length: int) -> tuple[int, int]:
    missing = max(0, side - (last - first))
    first = min(max(0, first - missing // 2), max(0, length - max(side, last - first)))
    return first, min(length, max(last, first + side))


def hole_groups(mask: Tensor, gap: int) -> Iterator[tuple[Box, Tensor]]:
    """Holes of a mask (1, H, W) that are connected or at most ``2 * gap`` pixels apart, each group in its box.

    Each comes with a mask (1, h, w) of its box that has only the holes of the group.
    """
    hole = mask.cpu() > 0.5
    joined = grown(hole.float(), gap)[0].numpy() > 0
    labels: NDArray[np.int32]
    labels, _ = ndimage.label(joined, structure=np.ones((3, 3), dtype=np.int8))
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        own = hole[0, rows, columns].numpy() & (labels[rows, columns] == number)
        (across,), (down,) = np.nonzero(own.any(1)), np.nonzero(own.any(0))
        box = Box(
            rows.start + int(across[0]),
            rows.start + int(across[-1]) + 1,
            columns.start + int(down[0]),
            columns.start + int(down[-1]) + 1,
        )
        inner = own[across[0] : across[-1] + 1, down[0] : down[-1] + 1]
        yield box, torch.from_numpy(np.ascontiguousarray(inner))[None].to(mask.device, mask.dtype)
