"""Random integers, and a round brush that records when it first covers each pixel.

Positions, angles and random numbers are integers. Nothing depends on the rounding of a platform, so a seed gives the
same mask everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

Integers = NDArray[np.int64]

UNIT = 256
"""Units per pixel for positions, and units per full turn for angles."""


def _directions() -> Integers:
    # No value lies near the middle between two integers, where libraries could round differently.
    turns = [2 * math.pi * step / UNIT for step in range(UNIT)]
    return np.array([[round(UNIT * math.sin(turn)), round(UNIT * math.cos(turn))] for turn in turns], dtype=np.int64)


DIRECTIONS = _directions()
"""Vectors of one pixel in each of ``UNIT`` directions: (UNIT, 2), rows and columns, in units of 1/UNIT pixel."""

UNREACHED = np.iinfo(np.int64).max
"""Order of pixels that are not covered."""

MOST_STROKES = 2000
"""Number of strokes after which drawing ends; any other pixels make up for what is missing."""


class IntegerRNG:
    """Random integers from a generator, or from torch's global one."""

    def __init__(self, generator: torch.Generator | None = None) -> None:
        self._generator = generator
        self._drawn: list[int] = []

    def randint(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``, both included; ``low`` if ``high`` is smaller."""
        if not self._drawn:  # many at once, which takes no longer than one
            self._drawn = torch.randint(2**40, (128,), generator=self._generator).tolist()
        return low + self._drawn.pop() % max(1, high - low + 1)

    def numbers(self, low: int, high: int, *shape: int) -> Integers:
        """Return integers from ``low`` to ``high``, both included."""
        return torch.randint(low, high + 1, shape, generator=self._generator).numpy()


_APART = 2**24
"""More than the squared radius of any brush, so that a touch spreads from its center before the next begins."""


class Brush:
    """A brush and the order (H, W) in which it covers pixels."""

    def __init__(self, height: int, width: int, thickest: int) -> None:
        """Start with nothing covered. ``thickest`` is the largest thickness that will be used, in pixels."""
        self.height, self.width = height, width
        # A margin of half a brush, so that no touch has to be cropped at the border.
        self._margin = thickest // 2
        self._padded = np.full((height + 2 * self._margin, width + 2 * self._margin), UNREACHED, dtype=np.int64)
        self._touches = 0

    @property
    def order(self) -> Integers:
        """When each pixel (H, W) was first covered."""
        margin = self._margin
        return self._padded[margin : margin + self.height, margin : margin + self.width]

    @property
    def covered(self) -> int:
        """Number of covered pixels."""
        return int(np.count_nonzero(self.order != UNREACHED))

    def draw(self, path: Integers, thickness: Integers) -> None:
        """Draw along a path (N, 2) of rows and columns, in units of 1/UNIT pixel, with a thickness (N,) in pixels."""
        inside = self._find_inside(path)
        times = (self._touches + np.flatnonzero(inside)) * _APART
        self._touches += len(path)
        length = self.width + 2 * self._margin
        centers = (path[inside] // UNIT + self._margin) @ np.array([length, 1], dtype=np.int64)
        thickness, flat = thickness[inside], self._padded.reshape(-1)
        for diameter in np.unique(thickness).tolist():
            offsets, distances = _disc(diameter)
            steps = offsets @ np.array([length, 1], dtype=np.int64)
            touches = thickness == diameter
            places, keys = centers[touches, None] + steps, times[touches, None] + distances
            np.minimum.at(flat, places.ravel(), keys.ravel())

    def crossings(self, path: Integers) -> int:
        """Return the number of points of a path that are covered already, or outside the image."""
        rows, columns = (path[self._find_inside(path)] // UNIT).T
        return len(path) - int(np.count_nonzero(self.order[rows, columns] == UNREACHED))

    def _find_inside(self, path: Integers) -> NDArray[np.bool_]:
        ends = np.array([self.height, self.width], dtype=np.int64) * UNIT
        inside = (path >= 0) & (path < ends)
        return inside[:, 0] & inside[:, 1]


@lru_cache(maxsize=256)
def _disc(diameter: int) -> tuple[Integers, Integers]:
    """Return the pixels (K, 2) of a disc, relative to its center, and their squared distances (K,)."""
    radius = diameter // 2
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.int64)
    squares = rows**2 + columns**2
    inside = 4 * squares <= diameter**2
    return np.stack([rows[inside], columns[inside]], axis=1), squares[inside]


def walk(start: tuple[int, int], turns: Integers, angle: int, step: int) -> Integers:
    """Return a path (N, 2): each step goes on by ``step`` pixels after a turn.

    Args:
        start: row and column in pixels.
        turns: turns (N,), in units of 1/16 of a direction; there are ``UNIT`` directions.
        angle: first direction.
        step: length of a step in pixels.
    """
    angles = (angle * 16 + np.cumsum(turns)) // 16 % UNIT
    steps = DIRECTIONS[angles] * step
    path: Integers = np.array(start, dtype=np.int64) * UNIT + np.cumsum(steps, axis=0)
    return path


def bends(count: int, sharpness: int, rng: IntegerRNG) -> Integers:
    """Return turns (count,) with a constant curvature in each of a few pieces."""
    pieces = rng.randint(2, 5)
    ends = np.sort(rng.numbers(0, count, pieces - 1))
    lengths = np.diff(ends, prepend=0, append=count)
    return np.repeat(rng.numbers(-sharpness, sharpness, pieces), lengths)


def reflect_inside(path: Integers, height: int, width: int) -> Integers:
    """Reflect a path (N, 2) wherever it would leave the image."""
    last = np.array([height, width], dtype=np.int64) * UNIT - 1
    folded = path % (2 * last)
    reflected: Integers = np.minimum(folded, 2 * last - folded)
    return reflected


def taper(count: int, thickness: int, ends: int) -> Integers:
    """Return a thickness (count,) that grows from ``ends`` percent over the first quarter and shrinks over the last."""
    places = np.arange(count, dtype=np.int64)
    rise = np.minimum(np.minimum(places, count - 1 - places) * 4 * 100 // max(1, count), 100)
    tapering: Integers = np.maximum(1, thickness * (ends * 100 + (100 - ends) * rise) // 10000)
    return tapering


def sample_lines(lines: Sequence[Integers], spacing: int) -> Integers:
    """Return points (M, 2) at most ``spacing`` pixels apart on lines of corners (N, 2), in units of 1/UNIT pixel."""
    first, last = (np.concatenate([line[part] for line in lines]) for part in (slice(-1), slice(1, None)))
    counts = np.abs(last - first).max(1) // (spacing * UNIT) + 2
    steps = np.arange(counts.sum(), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    way = np.repeat(last - first, counts, axis=0) * steps[:, None] // np.repeat(counts - 1, counts)[:, None]
    points: Integers = np.repeat(first, counts, axis=0) + way
    return points
