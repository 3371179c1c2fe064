"""The values that the mask files of a folder hold, and how they lie. Imports no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from restore.plugins.common.masks.values import MaskValues, is_foreground, open_values

IGNORED = 255
"""Class number of unknown pixels, which count neither in losses nor in metrics."""

_DARK, _BRIGHT = 32, 223
"""Values up to and from which a gray mask is black or white with the noise of JPEG."""
_LOSSY = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
_FLAT = 0.6
"""Fraction of equal neighbors above which gray pixels form regions. On a slope, in one direction, it is a half."""


@dataclass(frozen=True)
class FileSurvey:
    """The values of one mask file."""

    path: Path
    pixels: Mapping[int, int]
    """Number of pixels by value."""
    equal: int
    """How many neighbors of gray pixels are equal to them."""
    neighbors: int
    """How many neighbors of gray pixels there are."""
    palette: bool
    """Whether it has a palette with colors, so that its values are numbers."""


@dataclass(frozen=True)
class Survey:
    """The values of all mask files of a folder."""

    pixels: Mapping[int, int]
    """Number of pixels by value."""
    flat: float
    """Fraction of the neighbors of gray pixels that are equal; 0 without gray pixels."""
    noisy: bool
    """Whether a file is a JPEG, whose values are not exact."""
    palette: bool
    """Whether a file has a palette with colors, so that its values are numbers."""
    only_ones: tuple[Path, ...]
    """Files that hold 1 and nothing above."""
    marked: tuple[int, int]
    """In files with 0, 1 and 255 alone: the pixels of 1, and those of 255."""

    @property
    def values(self) -> tuple[int, ...]:
        """The values, rising."""
        return tuple(sorted(self.pixels))

    @property
    def described(self) -> str:
        """The values for a message; of many, those that fill most pixels."""
        if len(self.pixels) <= 12:
            return ", ".join(map(str, self.values))
        most = sorted(sorted(self.pixels, key=lambda value: -self.pixels[value])[:8])
        return f"{', '.join(map(str, most))} and {len(self.pixels) - len(most)} more"

    @property
    def grays(self) -> bool:
        """Whether values between black and white form regions of their own, instead of edges and slopes."""
        return self.flat > _FLAT


@lru_cache(maxsize=16)  # settings, splits and datasets ask one after the other
def survey(paths: tuple[Path, ...]) -> Survey:
    """Read mask files and return their values. Raises DataError for one that cannot be read or has colors."""
    return combine(survey_file(path, open_values(path)) for path in paths)


def survey_file(path: Path, mask: MaskValues) -> FileSurvey:
    """Count the values of a mask file that was decoded."""
    import numpy as np

    found = mask.tones
    if not np.issubdtype(found.dtype, np.integer):
        found = 255 * is_foreground(found)
    values, counts = np.unique(found, return_counts=True)
    pixels = dict(zip(map(int, values), map(int, counts), strict=True))
    scale = 257 if max(pixels, default=0) > 255 else 1
    gray = (found > _DARK * scale) & (found < _BRIGHT * scale)
    equal = neighbors = 0
    for axis in (0, 1):
        before, after = (
            np.take(found, range(*ends), axis) for ends in ((0, found.shape[axis] - 1), (1, found.shape[axis]))
        )
        there = np.take(gray, range(found.shape[axis] - 1), axis)
        equal += int(((before == after) & there).sum())
        neighbors += int(there.sum())
    return FileSurvey(path, pixels, equal, neighbors, mask.colors)


def combine(files: Iterable[FileSurvey]) -> Survey:
    """Return the values of several files together."""
    pixels = Counter[int]()
    equal = neighbors = ones = unknown = 0
    palette, noisy, only_ones = False, False, []
    for file in files:
        pixels.update(file.pixels)
        equal, neighbors = equal + file.equal, neighbors + file.neighbors
        palette, noisy = palette or file.palette, noisy or file.path.suffix.lower() in _LOSSY
        own = file.pixels
        if max(own, default=0) == 1:
            only_ones.append(file.path)
        elif set(own) <= {0, 1, IGNORED} and 1 in own and IGNORED in own:
            ones, unknown = ones + own[1], unknown + own[IGNORED]
    flat = equal / neighbors if neighbors else 0.0
    return Survey(pixels, flat, noisy, palette, tuple(only_ones), (ones, unknown))
