"""Whole numbers by chance, and directions in whole numbers: what drawn masks are made of.

Neither depends on how a platform rounds, so that the same seed draws the same mask everywhere.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

Integers = NDArray[np.int64]

UNIT = 256
"""Parts of a pixel in which positions are counted, and parts of a whole turn in which angles are."""


def _directions() -> Integers:
    # No value lies near the middle between two whole numbers, where two libraries could round differently.
    turns = [2 * math.pi * step / UNIT for step in range(UNIT)]
    return np.array([[round(UNIT * math.sin(turn)), round(UNIT * math.cos(turn))] for turn in turns], dtype=np.int64)


DIRECTIONS = _directions()
"""One pixel in each of ``UNIT`` directions: (UNIT, 2), rows and columns, in parts of a pixel."""


class Chance:
    """Draws from a generator, or from torch's global chance."""

    def __init__(self, generator: torch.Generator | None = None) -> None:
        self._generator = generator
        self._drawn: list[int] = []

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included; low where there is nothing between them."""
        if not self._drawn:  # many at once: drawing one takes as long
            self._drawn = torch.randint(2**40, (128,), generator=self._generator).tolist()
        return low + self._drawn.pop() % max(1, high - low + 1)

    def numbers(self, low: int, high: int, *shape: int) -> Integers:
        """Whole numbers from low to high, both included."""
        return torch.randint(low, high + 1, shape, generator=self._generator).numpy()
