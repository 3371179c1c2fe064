"""Orders of holes that are drawn by a brush: strokes and scratches."""

from __future__ import annotations

import numpy as np

from restore.plugins.common.mask_brush import Brush, bends, kept_inside, tapered, walk
from restore.plugins.common.mask_chance import DIRECTIONS, UNIT, Chance, Integers

MOST = 2000
"""Strokes after which drawing ends; what is still missing is taken anywhere."""


def strokes(height: int, width: int, wanted: int, chance: Chance) -> Integers:
    """Bent strokes of a broad brush, as somebody would paint out what is to be removed."""
    brush, side = Brush(height, width), min(height, width)
    for _ in range(MOST):
        if brush.covered >= wanted:
            break
        thickness = max(2, side * chance.between(10, 30) // 256)
        step = max(1, thickness // 5)
        count = max(4, side * chance.between(60, 350) // 256 // step)
        # Sharper turns than half the thickness would only blot.
        sharpness = max(1, 16 * UNIT * step // (4 * thickness))
        start = (chance.between(0, height - 1), chance.between(0, width - 1))
        path = walk(start, bends(count, sharpness, chance), chance.between(0, UNIT - 1), step)
        brush.draw(kept_inside(path, height, width), tapered(count, thickness, 60))
    return brush.order


def scratches(height: int, width: int, wanted: int, chance: Chance) -> Integers:
    """Thin, long, nearly straight lines, some of them several side by side."""
    brush, side = Brush(height, width), min(height, width)
    for _ in range(MOST):
        if brush.covered >= wanted:
            break
        count = max(4, side * chance.between(60, 330) // 256)
        turns = bends(count, max(1, 512 // side), chance)
        angle = chance.between(0, UNIT - 1)
        start = np.array([chance.between(0, height - 1), chance.between(0, width - 1)], dtype=np.int64)
        path = walk((0, 0), turns, angle, 1)
        path = path + start * UNIT - path[len(path) // 2]  # its middle is in the picture
        across = DIRECTIONS[(angle + UNIT // 4) % UNIT]
        for companion in range(1 if chance.between(0, 2) else chance.between(2, 4)):
            thickness = max(1, (side * chance.between(1, 4) + 128) // 256)
            shifted = path + companion * across * max(2, side * chance.between(3, 8) // 256)
            first = chance.between(0, count // 3) if companion else 0
            line = shifted[first : count - (chance.between(0, count // 3) if companion else 0)]
            brush.draw(line, tapered(len(line), thickness, 40))
    return brush.order
