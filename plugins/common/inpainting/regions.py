"""Groups of holes that are inpainted together, in masks of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Hole = NDArray[np.bool_]
"""Where the hole is, (H, W)."""

_CELL = 64  # pixels


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; ``bottom`` and ``right`` are exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def place(self) -> tuple[slice, slice, slice]:
        """Index of the rectangle in an image (C, H, W)."""
        return slice(None), slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def rows(self) -> slice:
        """Rows of the rectangle, as an index."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """Columns of the rectangle, as an index."""
        return slice(self.left, self.right)

    @property
    def largest_side(self) -> int:
        """Length of the longer side in pixels."""
        return max(self.bottom - self.top, self.right - self.left)

    def widen(self, pixels: int, height: int, width: int) -> Box:
        """Return the box with ``pixels`` more on each side, inside an image of ``height`` x ``width``."""
        return Box(
            max(0, self.top - pixels),
            min(height, self.bottom + pixels),
            max(0, self.left - pixels),
            min(width, self.right + pixels),
        )

    def relative_to(self, outer: Box) -> Box:
        """Return the same box relative to the corner of a box around it."""
        return Box(self.top - outer.top, self.bottom - outer.top, self.left - outer.left, self.right - outer.left)

    def common(self, other: Box) -> Box:
        """Return what lies in both boxes."""
        return Box(
            max(self.top, other.top),
            min(self.bottom, other.bottom),
            max(self.left, other.left),
            min(self.right, other.right),
        )

    def at_least(self, side: int, height: int, width: int) -> Box:
        """Return a box of at least ``side`` pixels each way around the same center, moved into the image or limited to
        it."""
        top, bottom = _widen(self.top, self.bottom, side, height)
        left, right = _widen(self.left, self.right, side, width)
        return Box(top, bottom, left, right)


def _widen(first: int, last: int, side: int, length: int) -> tuple[int, int]:
    missing = max(0, side - (last - first))
    first = min(max(0, first - missing // 2), max(0, length - max(side, last - first)))
    return first, min(length, max(last, first + side))


def find_groups(hole: Hole, gap: int) -> list[tuple[Box, Hole]]:
    """Return the groups of holes that are connected or at most ``2 * gap`` pixels apart, in the order of their tops.

    Each comes as its box, and the holes of the group inside it. Large masks are first divided at wide empty spaces that
    no group crosses, so that memory is needed for the largest part alone.
    """
    groups = [group for part in _divide(hole, gap) for group in _find_groups_within(hole, part, gap)]
    return sorted(groups, key=lambda group: (group[0].top, group[0].left))


def dilate_hole(hole: Hole, pixels: int) -> Hole:
    """Return a hole dilated by ``pixels`` on all sides, with a square."""
    if not pixels:
        return hole
    # as wide as the image at most: scipy's time does not depend on the width, but its buffers do
    sides = [2 * min(pixels, length) + 1 for length in hole.shape]
    grown = ndimage.maximum_filter1d(hole.view(np.uint8), sides[0], axis=0, mode="constant")
    grown = ndimage.maximum_filter1d(grown, sides[1], axis=1, mode="constant", output=grown)
    found: Hole = grown.view(np.bool_)
    return found


def _divide(hole: Hole, gap: int) -> Iterator[tuple[Box, Hole]]:
    """Yield boxes with those holes in them that no hole outside can join, found on a coarse grid."""
    height, width = hole.shape
    rows, columns = np.arange(0, height, _CELL), np.arange(0, width, _CELL)
    cells = np.stack([np.logical_or.reduceat(hole[top : top + _CELL].any(0), columns) for top in rows])
    # Holes of two cells are apart by at least the cells between them.
    labels, _ = ndimage.label(dilate_hole(cells, gap // _CELL + 1), structure=np.ones((3, 3), np.int8))
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        own = cells[place] & (labels[place] == number)
        (down,), (across,) = np.nonzero(own.any(1)), np.nonzero(own.any(0))
        first_row, first_column = place[0].start + int(down[0]), place[1].start + int(across[0])
        box = Box(
            first_row * _CELL,
            min(height, (place[0].start + int(down[-1]) + 1) * _CELL),
            first_column * _CELL,
            min(width, (place[1].start + int(across[-1]) + 1) * _CELL),
        )
        own = own[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
        wide = own.repeat(_CELL, 0)[: box.bottom - box.top].repeat(_CELL, 1)[:, : box.right - box.left]
        yield box, hole[box.rows, box.columns] & wide


def _find_groups_within(hole: Hole, part: tuple[Box, Hole], gap: int) -> Iterator[tuple[Box, Hole]]:
    """Yield the groups of a part."""
    outer, inside = part
    wide = outer.widen(gap, *hole.shape)  # dilation beyond the edge of a part may join holes
    padded = np.zeros((wide.bottom - wide.top, wide.right - wide.left), np.bool_)
    padded[outer.relative_to(wide).rows, outer.relative_to(wide).columns] = inside
    labels, _ = ndimage.label(dilate_hole(padded, gap), structure=np.ones((3, 3), np.int8))
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        own = padded[rows, columns] & (labels[rows, columns] == number)
        (down,), (across,) = np.nonzero(own.any(1)), np.nonzero(own.any(0))
        top, left = wide.top + rows.start + int(down[0]), wide.left + columns.start + int(across[0])
        own = own[down[0] : down[-1] + 1, across[0] : across[-1] + 1].copy()
        yield Box(top, top + own.shape[0], left, left + own.shape[1]), own
