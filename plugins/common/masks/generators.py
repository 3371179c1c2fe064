"""Random masks of six kinds with a given coverage.

Each kind is drawn as an *order*: integers that say when each pixel would be covered, as by a brush that never stops.
The mask consists of the first pixels, as many as the coverage asks for, so all kinds keep the coverage in the same way.
Orders contain only integers drawn by torch: a seed gives the same mask on every platform.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restore.plugins.common.masks.brush import (
    DIRECTIONS,
    MOST_STROKES,
    UNIT,
    UNREACHED,
    Brush,
    IntegerRNG,
    Integers,
    bends,
    reflect_inside,
    taper,
    walk,
)
from restore.plugins.common.masks.graffiti import graffiti
from restore.plugins.common.masks.settings import MaskKind

LOOSE = 0.015
"""Accepted difference of the coverage, so that a straight edge stays straight."""


def rectangles(height: int, width: int, wanted: int, rng: IntegerRNG) -> Integers:
    """Draw one to five rectangles, each row by row; they reach at least ``wanted`` pixels."""
    order = np.full((height, width), UNREACHED, dtype=np.int64)
    left, missing, drawn = rng.randint(1, 5), wanted, 0
    while missing > 0 and drawn < _MOST_RECTANGLES:
        # The last one has the missing area; those before it have a fraction of that.
        area = missing if left <= 1 else missing * rng.randint(20, 60) // 100
        rows, columns = _sides(max(1, area), height, width, rng)
        top, start = rng.randint(0, height - rows), rng.randint(0, width - columns)
        place = order[top : top + rows, start : start + columns]
        lines = np.arange(rows, dtype=np.int64)[:, None] if rows > columns else np.arange(columns, dtype=np.int64)
        np.minimum(place, drawn * _APART + lines, out=place)
        missing = wanted - int(np.count_nonzero(order != UNREACHED))
        left, drawn = left - 1, drawn + 1
    return order


_MOST_RECTANGLES = 200
"""Number of rectangles after which drawing ends; any other pixels make up for what is missing."""
_APART = 2**24
"""More than the length of any line, so that a rectangle is finished before the next begins."""


def _sides(area: int, height: int, width: int, rng: IntegerRNG) -> tuple[int, int]:
    """Return the sides of a rectangle of at least ``area`` pixels, with an aspect ratio from 1:3 to 3:1."""
    rows = math.isqrt(area * rng.randint(33, 300) // 100) + 1
    rows = min(max(rows, -(-area // width)), height)
    return rows, min(-(-area // rows), width)


def blobs(height: int, width: int, wanted: int, rng: IntegerRNG) -> Integers:  # noqa: ARG001 - every pixel is reached
    """Draw smooth noise: its peaks first, then its slopes."""
    side = min(height, width)
    radius = max(1, side // rng.randint(12, 26))
    margin = _PASSES * radius
    levels = rng.numbers(0, 2**24, height + 2 * margin, width + 2 * margin)
    for _ in range(_PASSES):
        for axis in (0, 1):
            levels = _box_means(levels, 2 * radius + 1, axis)
    return -levels


_PASSES = 3
"""Number of box filters; three are nearly a Gaussian."""


def _box_means(levels: Integers, length: int, axis: int) -> Integers:
    """Return the means, rounded down, of all windows of ``length`` along an axis."""
    sums = np.cumsum(levels, axis=axis).swapaxes(0, axis)
    means = sums[length - 1 :].copy()
    means[1:] -= sums[:-length]
    means //= length
    return means.swapaxes(0, axis)


def border(height: int, width: int, wanted: int, rng: IntegerRNG) -> Integers:  # noqa: ARG001 - every pixel is reached
    """Draw strips along one to four edges, of equal or different width, as for extending an image."""
    rows, columns = np.arange(height, dtype=np.int64)[:, None], np.arange(width, dtype=np.int64)[None]
    from_edges = (rows, height - 1 - rows, columns, width - 1 - columns)
    sides = rng.randint(1, 15)  # bits: at least one of the four
    order = np.full((height, width), UNREACHED, dtype=np.int64)
    for index, distance in enumerate(from_edges):
        speed = rng.randint(2, 6)
        if sides >> index & 1:
            np.minimum(order, distance * 60 // speed, out=order)
    return order


def strokes(height: int, width: int, wanted: int, rng: IntegerRNG) -> Integers:
    """Draw curved strokes of a broad brush, as if somebody painted over an object."""
    side = min(height, width)
    thickest = max(2, side * 32 // 256)
    brush = Brush(height, width, thickest)
    for _ in range(MOST_STROKES):
        if brush.covered >= wanted:
            break
        thickness = rng.randint(max(2, thickest // 3), thickest)
        step = max(1, thickness // 5)
        count = max(4, side * rng.randint(60, 350) // 256 // step)
        # In units of `walk`, 16 UNIT per turn: even the sharpest bend is far from a circle.
        sharpness = max(1, 16 * UNIT * step // (12 * thickness))
        start = (rng.randint(0, height - 1), rng.randint(0, width - 1))
        path = walk(start, bends(count, sharpness, rng), rng.randint(0, UNIT - 1), step)
        brush.draw(reflect_inside(path, height, width), taper(count, thickness, 60))
    return brush.order


def scratches(height: int, width: int, wanted: int, rng: IntegerRNG) -> Integers:
    """Draw long thin lines, straight or slightly curved, some of them side by side."""
    thickest = max(1, (min(height, width) * 4 + 128) // 256)
    brush, drawn = Brush(height, width, thickest), 0
    for _ in range(MOST_STROKES // _TOGETHER):
        if (
            drawn >= wanted and brush.covered >= wanted
        ):  # `drawn` is an upper bound of `covered`, which is slow to count
            break
        path, thickness = _some_scratches(height, width, thickest, rng)
        brush.draw(path, thickness)
        drawn += int(thickness.sum())
    return brush.order


_TOGETHER = 8
"""Number of scratches drawn at once, which takes hardly longer than one."""


def _some_scratches(height: int, width: int, thickest: int, rng: IntegerRNG) -> tuple[Integers, Integers]:
    """Return a path (N, 2) that jumps from scratch to scratch, and its thickness (N,)."""
    side = min(height, width)
    middles: list[Integers] = []
    angles: list[int] = []
    curvatures: list[int] = []
    lengths: list[int] = []
    for index in range(_TOGETHER):
        lengths.append(max(4, side * rng.randint(60, 330) // 256))
        if index and rng.randint(0, 9) < 4:  # beside the previous one
            across = DIRECTIONS[(angles[-1] + UNIT // 4) % UNIT] * max(2, side * rng.randint(3, 9) // 256)
            middles.append(middles[-1] + across)
            angles.append(angles[-1])
            curvatures.append(curvatures[-1])
            continue
        middles.append(np.array([rng.randint(0, height - 1), rng.randint(0, width - 1)], dtype=np.int64) * UNIT)
        angles.append(rng.randint(0, UNIT - 1))
        curvatures.append(rng.randint(-_BENT, _BENT) if rng.randint(0, 2) else 0)
    places = np.arange(max(lengths), dtype=np.int64)
    bent = np.array(curvatures, dtype=np.int64)[:, None] * places // side
    paths = np.cumsum(DIRECTIONS[(np.array(angles, dtype=np.int64)[:, None] + bent) % UNIT], axis=1)
    drawn = [
        (path[:length] + middle - path[length // 2], taper(length, rng.randint(1, thickest), 40))
        for path, middle, length in zip(paths, middles, lengths, strict=True)
    ]
    return np.concatenate([path for path, _ in drawn]), np.concatenate([thickness for _, thickness in drawn])


_BENT = 40
"""Largest turn of a scratch as long as the image; ``UNIT`` is a full turn."""


_ORDERS: Mapping[MaskKind, Callable[[int, int, int, IntegerRNG], Integers]] = {
    "rectangles": rectangles,
    "strokes": strokes,
    "scratches": scratches,
    "graffiti": graffiti,
    "blobs": blobs,
    "border": border,
}


def draw_mask(
    kind: MaskKind, height: int, width: int, coverage: float, generator: torch.Generator | None = None
) -> Tensor:
    """Draw a mask (1, height, width) of zeros and ones whose mean is within 0.02 of ``coverage``.

    At least one pixel is hole and at least one is known. Raises ValueError for a coverage outside (0, 1) and for fewer
    than two pixels.

    Args:
        kind: kind of the mask.
        height: height in pixels.
        width: width in pixels.
        coverage: fraction of the image inside the hole.
        generator: source of random numbers; None: torch's global generator.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage={coverage:g} must be between 0 and 1")
    if height * width < 2:
        raise ValueError(f"an image of {width}x{height} pixels is too small for a mask")
    wanted = min(max(1, int(coverage * height * width + 0.5)), height * width - 1)
    hole = _first(_ORDERS[kind](height, width, wanted, IntegerRNG(generator)), wanted)
    return torch.from_numpy(hole.astype(np.float32))[None]


def _first(order: Integers, wanted: int) -> NDArray[np.bool_]:
    """Return where the first pixels of an order are; of equal ones all or none, if that is near enough."""
    flat = order.ravel()
    last = np.partition(flat, wanted - 1)[wanted - 1]
    hole: NDArray[np.bool_] = flat < last
    together = flat == last
    before, after = int(np.count_nonzero(hole)), int(np.count_nonzero(hole | together))
    if after - wanted <= min(wanted - before, LOOSE * flat.size) and after < flat.size:
        hole = hole | together
    elif wanted - before > LOOSE * flat.size or not before:
        hole[np.flatnonzero(together)[: wanted - before]] = True
    return hole.reshape(order.shape)
