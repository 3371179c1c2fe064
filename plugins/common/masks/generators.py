"""Holes of several looks, drawn by chance and of a wanted share.

Every kind of hole is drawn as an *order*: whole numbers that say when each pixel of the picture would be covered, as by
a brush that goes on and on. The hole is as many of the first pixels as the share asks for, so that all kinds keep the
share in the same way. Orders are made of whole numbers drawn by torch alone: the same seed gives the same mask on any
platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restore.plugins.common.masks import areas, graffiti, strokes
from restore.plugins.common.masks.chance import Chance, Integers
from restore.plugins.common.masks.settings import MaskKind

LOOSE = 0.015
"""How far the share of a hole may lie from what was wanted, so that a straight edge stays straight."""

_ORDERS: Mapping[MaskKind, Callable[[int, int, int, Chance], Integers]] = {
    "rectangles": areas.rectangles,
    "strokes": strokes.strokes,
    "scratches": strokes.scratches,
    "graffiti": graffiti.graffiti,
    "blobs": areas.blobs,
    "border": areas.border,
}


def drawn_mask(
    kind: MaskKind, height: int, width: int, share: float, generator: torch.Generator | None = None
) -> Tensor:
    """A mask (1, height, width) of zeros and ones whose mean is within 0.02 of ``share``.

    Chance comes from the generator, or from torch's global one. At least one pixel is hole and at least one is known.
    Raises ValueError for a share outside (0, 1) and for fewer than two pixels.
    """
    if not 0 < share < 1:
        raise ValueError(f"a hole covers a share between 0 and 1 of the picture, not {share:g}")
    if height * width < 2:
        raise ValueError(f"no room for a hole and its surroundings in {width}x{height} pixels")
    wanted = min(max(1, int(share * height * width + 0.5)), height * width - 1)
    hole = _first(_ORDERS[kind](height, width, wanted, Chance(generator)), wanted)
    return torch.from_numpy(hole.astype(np.float32))[None]


def _first(order: Integers, wanted: int) -> NDArray[np.bool_]:
    """Where the first pixels of an order are; of those that come at once all or none, if that is near enough."""
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
