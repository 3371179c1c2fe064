"""Orders of holes that are areas: rectangles, blobs, and what lies beyond a picture's edge.

An order says when each pixel (H, W) would be covered: the lower, the sooner.
"""

from __future__ import annotations

import math

import numpy as np

from restore.plugins.common.masks.chance import Chance, Integers

UNREACHED = np.iinfo(np.int64).max
"""What the order says of pixels that are not covered."""


def rectangles(height: int, width: int, wanted: int, chance: Chance) -> Integers:
    """One to five rectangles, each drawn row by row; ``wanted`` pixels at least are reached."""
    order = np.full((height, width), UNREACHED, dtype=np.int64)
    left, missing, drawn = chance.between(1, 5), wanted, 0
    while missing > 0 and drawn < _MOST:
        # The last one is as large as what is missing; before it, any share of that.
        area = missing if left <= 1 else missing * chance.between(20, 60) // 100
        rows, columns = _sides(max(1, area), height, width, chance)
        top, start = chance.between(0, height - rows), chance.between(0, width - columns)
        place = order[top : top + rows, start : start + columns]
        lines = np.arange(rows, dtype=np.int64)[:, None] if rows > columns else np.arange(columns, dtype=np.int64)
        np.minimum(place, drawn * _APART + lines, out=place)
        missing = wanted - int(np.count_nonzero(order != UNREACHED))
        left, drawn = left - 1, drawn + 1
    return order


_MOST = 200
"""Shapes after which drawing ends; what is still missing is taken anywhere."""
_APART = 2**24
"""More than the pixels of any line, so that one rectangle is finished before the next begins."""


def _sides(area: int, height: int, width: int, chance: Chance) -> tuple[int, int]:
    """Sides of a rectangle of at least ``area`` pixels, from three times as high as wide to the reverse."""
    rows = math.isqrt(area * chance.between(33, 300) // 100) + 1
    rows = min(max(rows, -(-area // width)), height)
    return rows, min(-(-area // rows), width)


def blobs(height: int, width: int, wanted: int, chance: Chance) -> Integers:  # noqa: ARG001 - every pixel is reached
    """Smooth noise: its hills first, then its slopes."""
    side = min(height, width)
    radius = max(1, side // chance.between(12, 26))
    margin = _PASSES * radius
    levels = chance.numbers(0, 2**24, height + 2 * margin, width + 2 * margin)
    for _ in range(_PASSES):
        for axis in (0, 1):
            levels = _box_means(levels, 2 * radius + 1, axis)
    return -levels


_PASSES = 3
"""Means of means: three of them are nearly a Gaussian."""


def _box_means(levels: Integers, length: int, axis: int) -> Integers:
    """Means, rounded down, of all runs of ``length`` along an axis."""
    sums = np.cumsum(levels, axis=axis).swapaxes(0, axis)
    means = sums[length - 1 :].copy()
    means[1:] -= sums[:-length]
    means //= length
    return means.swapaxes(0, axis)


def border(height: int, width: int, wanted: int, chance: Chance) -> Integers:  # noqa: ARG001 - every pixel is reached
    """Strips along one to four edges, as wide as each other or not: what a picture needs to be continued."""
    rows, columns = np.arange(height, dtype=np.int64)[:, None], np.arange(width, dtype=np.int64)[None]
    from_edges = (rows, height - 1 - rows, columns, width - 1 - columns)
    sides = chance.between(1, 15)  # bits: at least one of the four
    order = np.full((height, width), UNREACHED, dtype=np.int64)
    for index, distance in enumerate(from_edges):
        speed = chance.between(2, 6)
        if sides >> index & 1:
            np.minimum(order, distance * 60 // speed, out=order)
    return order
