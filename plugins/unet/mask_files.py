"""Class numbers in mask files. Importing it imports no torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from restore.plugins.common.masks.values import read_values

IGNORED = 255
"""Class number of a pixel about which nothing is known; it counts neither in losses nor in metrics."""

MOST_CLASSES = 64
"""A mask with higher numbers than this (255 aside) is taken for shades of gray, not for class numbers."""


def are_numbers(paths: Iterable[Path]) -> bool:
    """Whether mask files hold class numbers: small ones besides 0, 1 and 255, or 1 as well as 255, which is unknown."""
    import numpy as np

    several = False
    for path in paths:
        values = np.unique(read_values(path))
        small = values[values < IGNORED]
        highest = small.max(initial=0)
        if highest > MOST_CLASSES or values.max(initial=0) > IGNORED:
            return False
        several = several or bool(highest > 1 or (highest == 1 and len(small) < len(values)))
    return several


def largest_number(paths: Iterable[Path]) -> int:
    """The highest class number in index masks, 255 (unknown) aside; at least 1."""
    highest = 1
    for path in paths:
        values = read_values(path)
        highest = max(highest, int(values[values < IGNORED].max(initial=0)))
    return highest
