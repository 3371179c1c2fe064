"""Orders of holes that are drawn by a brush: strokes and scratches."""

from __future__ import annotations

import numpy as np

from restore.plugins.common.masks.brush import Brush, bends, kept_inside, tapered, walk
from restore.plugins.common.masks.chance import DIRECTIONS, UNIT, Chance, Integers

MOST = 2000
"""Strokes after which drawing ends; what is still missing is taken anywhere."""


def strokes(height: int, width: int, wanted: int, chance: Chance) -> Integers:
    """Bent strokes of a broad brush, as somebody would paint out what is to be removed."""
    side = min(height, width)
    thickest = max(2, side * 32 // 256)
    brush = Brush(height, width, thickest)
    for _ in range(MOST):
        if brush.covered >= wanted:
            break
        thickness = chance.between(max(2, thickest // 3), thickest)
        step = max(1, thickness // 5)
        count = max(4, side * chance.between(60, 350) // 256 // step)
        # In parts of a turn of which `walk` has 16 UNIT: not even the sharpest bend comes near to a circle.
        sharpness = max(1, 16 * UNIT * step // (12 * thickness))
        start = (chance.between(0, height - 1), chance.between(0, width - 1))
        path = walk(start, bends(count, sharpness, chance), chance.between(0, UNIT - 1), step)
        brush.draw(kept_inside(path, height, width), tapered(count, thickness, 60))
    return brush.order


def scratches(height: int, width: int, wanted: int, chance: Chance) -> Integers:
    """Thin, long lines, straight or bent a little, some of them several side by side."""
    thickest = max(1, (min(height, width) * 4 + 128) // 256)
    brush, drawn = Brush(height, width, thickest), 0
    for _ in range(MOST // _TOGETHER):
        if drawn >= wanted and brush.covered >= wanted:  # what is drawn can be counted without looking
            break
        path, thickness = _some_scratches(height, width, thickest, chance)
        brush.draw(path, thickness)
        drawn += int(thickness.sum())
    return brush.order


_TOGETHER = 8
"""Scratches that are drawn at once, which takes hardly longer than one."""


def _some_scratches(height: int, width: int, thickest: int, chance: Chance) -> tuple[Integers, Integers]:
    """A path (N, 2) that jumps from scratch to scratch, and its thickness (N,)."""
    side = min(height, width)
    middles: list[Integers] = []
    angles: list[int] = []
    curvatures: list[int] = []
    lengths: list[int] = []
    for index in range(_TOGETHER):
        lengths.append(max(4, side * chance.between(60, 330) // 256))
        if index and chance.between(0, 9) < 4:  # beside the one before
            across = DIRECTIONS[(angles[-1] + UNIT // 4) % UNIT] * max(2, side * chance.between(3, 9) // 256)
            middles.append(middles[-1] + across)
            angles.append(angles[-1])
            curvatures.append(curvatures[-1])
            continue
        middles.append(np.array([chance.between(0, height - 1), chance.between(0, width - 1)], dtype=np.int64) * UNIT)
        angles.append(chance.between(0, UNIT - 1))
        curvatures.append(chance.between(-_BENT, _BENT) if chance.between(0, 2) else 0)
    places = np.arange(max(lengths), dtype=np.int64)
    bent = np.array(curvatures, dtype=np.int64)[:, None] * places // side
    paths = np.cumsum(DIRECTIONS[(np.array(angles, dtype=np.int64)[:, None] + bent) % UNIT], axis=1)
    drawn = [
        (path[:length] + middle - path[length // 2], tapered(length, chance.between(1, thickest), 40))
        for path, middle, length in zip(paths, middles, lengths, strict=True)
    ]
    return np.concatenate([path for path, _ in drawn]), np.concatenate([thickness for _, thickness in drawn])


_BENT = 40
"""By how much a scratch as long as the picture may turn, in parts of a turn of ``UNIT``."""
