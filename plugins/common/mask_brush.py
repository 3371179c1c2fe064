"""A round brush that is led along paths and remembers when it first touched each pixel."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from restore.plugins.common.mask_areas import UNREACHED
from restore.plugins.common.mask_chance import DIRECTIONS, UNIT, Chance, Integers

_APART = 2**24
"""More than the squared radius of any brush: a brush spreads from its middle before it goes on."""


class Brush:
    """The order (H, W) in which a brush covers pixels."""

    def __init__(self, height: int, width: int) -> None:
        self._order = np.full(height * width, UNREACHED, dtype=np.int64)
        self.height, self.width = height, width
        self._touches = 0

    @property
    def order(self) -> Integers:
        """When each pixel (H, W) was first covered."""
        return self._order.reshape(self.height, self.width)

    @property
    def covered(self) -> int:
        """How many pixels were covered."""
        return int(np.count_nonzero(self._order != UNREACHED))

    def draw(self, path: Integers, thickness: Integers) -> None:
        """Go along a path (N, 2) of rows and columns, in parts of a pixel, with a thickness (N,) in pixels."""
        centres = path // UNIT
        times = self._touches + np.arange(len(path), dtype=np.int64)
        for diameter in np.unique(thickness).tolist():
            touches = thickness == diameter
            offsets, distances = _disc(diameter)
            rows, columns = (centres[touches, axis, None] + offsets[:, axis] for axis in (0, 1))
            inside = (rows >= 0) & (rows < self.height) & (columns >= 0) & (columns < self.width)
            keys = times[touches, None] * _APART + distances
            np.minimum.at(self._order, (rows * self.width + columns)[inside], keys[inside])
        self._touches += len(path)

    def crossings(self, path: Integers) -> int:
        """How many points of a path lie on what is covered, or outside."""
        rows, columns = (path // UNIT).T
        inside = (rows >= 0) & (rows < self.height) & (columns >= 0) & (columns < self.width)
        free = self._order[rows[inside] * self.width + columns[inside]] == UNREACHED
        return len(path) - int(np.count_nonzero(free))


@lru_cache(maxsize=256)
def _disc(diameter: int) -> tuple[Integers, Integers]:
    """Pixels (K, 2) around the middle of a disc, and the squares (K,) of their distances."""
    radius = diameter // 2
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.int64)
    squares = rows**2 + columns**2
    inside = 4 * squares <= diameter**2
    return np.stack([rows[inside], columns[inside]], axis=1), squares[inside]


def walk(start: tuple[int, int], turns: Integers, angle: int, step: int) -> Integers:
    """A path (N, 2) from a start in pixels: each step of ``step`` pixels goes on by an angle further.

    ``angle`` and the turns (N,), both in parts of ``DIRECTIONS``, count 1/16 of such a part.
    """
    angles = (angle * 16 + np.cumsum(turns)) // 16 % UNIT
    steps = DIRECTIONS[angles] * step
    return np.array(start, dtype=np.int64) * UNIT + np.cumsum(steps, axis=0)


def bends(count: int, sharpness: int, chance: Chance) -> Integers:
    """Turns (count,) of a hand that changes its mind a few times: constant curvature, then another."""
    pieces = chance.between(2, 5)
    ends = np.sort(chance.numbers(0, count, pieces - 1))
    lengths = np.diff(ends, prepend=0, append=count)
    return np.repeat(chance.numbers(-sharpness, sharpness, pieces), lengths)


def kept_inside(path: Integers, height: int, width: int) -> Integers:
    """A path (N, 2) that is reflected wherever it would leave the picture."""
    last = np.array([height, width], dtype=np.int64) * UNIT - 1
    folded = path % (2 * last)
    return np.minimum(folded, 2 * last - folded)


def tapered(count: int, thickness: int, ends: int) -> Integers:
    """Thickness (count,) that grows from ``ends`` percent over the first quarter and shrinks over the last."""
    places = np.arange(count, dtype=np.int64)
    rise = np.minimum(np.minimum(places, count - 1 - places) * 4 * 100 // max(1, count), 100)
    return np.maximum(1, thickness * (ends * 100 + (100 - ends) * rise) // 10000)


def joined(corners: Integers, spacing: int) -> Integers:
    """Points at most ``spacing`` pixels apart along straight lines between corners (N, 2) in parts of a pixel."""
    pieces = []
    for first, last in pairwise(corners):
        count = int(np.abs(last - first).max()) // (spacing * UNIT) + 1
        pieces.append(first + (last - first) * np.arange(count, dtype=np.int64)[:, None] // count)
    return np.concatenate([*pieces, corners[-1:]])
