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
    """Whether mask files hold class numbers.

    Those are small numbers besides 0, 1 and 255; or 1 beside 255, which is unknown then, if the ones are more: a few
    are soiled white.
    """
    import numpy as np

    several, ones, unknown = False, 0, 0
    for path in paths:
        values, counts = np.unique(read_values(path), return_counts=True)
        small = values[values < IGNORED]
        highest = small.max(initial=0)
        if highest > MOST_CLASSES or values.max(initial=0) > IGNORED:
            return False
        several = several or bool(highest > 1)
        if highest == 1 and len(small) < len(values):
            ones, unknown = ones + int(counts[values == 1][0]), unknown + int(counts[-1])
    return several or ones > unknown


def largest_number(paths: Iterable[Path]) -> int:
    """The highest class number in index masks, 255 (unknown) aside; at least 1."""
    highest = 1
    for path in paths:
        values = read_values(path)
        highest = max(highest, int(values[values < IGNORED].max(initial=0)))
    return highest
