"""What the values of mask files mean, decided once for a whole folder. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from restore.core.errors import DataError
from restore.plugins.common.masks.values import has_color_palette, is_foreground, read_values

IGNORED = 255
"""Class number of unknown pixels, which count neither in losses nor in metrics."""

MOST_CLASSES = 64
"""A mask with larger numbers (except 255) may contain gray values instead of class numbers."""

Asked = Literal["auto", "binary", "index", "levels"]

_DARK, _BRIGHT = 32, 223
"""Values up to and from which a gray mask is black or white with the noise of JPEG."""
_LOSSY = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
_FLAT = 0.6
"""Fraction of equal neighbors above which gray pixels form regions. On a slope, in one direction, it is a half."""
_STEP = 2
"""How much the steps between evenly spaced levels may differ."""


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


@dataclass(frozen=True)
class Encoding:
    """What the values of a folder of masks mean."""

    kind: Literal["binary", "index", "levels"]
    white: int = 255
    """binary: the value of the class; what is above its half counts."""
    levels: tuple[int, ...] = ()
    """levels: the value of each class, the background first."""

    def __str__(self) -> str:
        if self.kind == "levels":
            return f"masks: {len(self.levels)} classes, values {', '.join(map(str, self.levels))}"
        if self.kind == "index":
            return f"masks: class numbers, {IGNORED} is unknown"
        return f"masks: one class, from value {self.white // 2 + 1} on ({self.white} is white)"


@lru_cache(maxsize=16)  # settings, splits and datasets ask one after the other
def survey(paths: tuple[Path, ...]) -> Survey:
    """Read mask files and return their values. Raises DataError for one that cannot be read or has colors."""
    import numpy as np

    pixels: dict[int, int] = {}
    equal = neighbors = ones = unknown = 0
    palette, only_ones = False, []
    for path in paths:
        found = read_values(path, tones=True)
        if not np.issubdtype(found.dtype, np.integer):
            found = 255 * is_foreground(found)
        palette = palette or has_color_palette(path)
        values, counts = np.unique(found, return_counts=True)
        own = dict(zip(map(int, values), map(int, counts), strict=True))
        for value, count in own.items():
            pixels[value] = pixels.get(value, 0) + count
        if max(own, default=0) == 1:
            only_ones.append(path)
        elif set(own) <= {0, 1, IGNORED} and 1 in own and IGNORED in own:
            ones, unknown = ones + own[1], unknown + own[IGNORED]
        scale = 257 if max(own, default=0) > 255 else 1
        gray = (found > _DARK * scale) & (found < _BRIGHT * scale)
        for axis in (0, 1):
            before, after = (
                np.take(found, range(*ends), axis) for ends in ((0, found.shape[axis] - 1), (1, found.shape[axis]))
            )
            there = np.take(gray, range(found.shape[axis] - 1), axis)
            equal += int(((before == after) & there).sum())
            neighbors += int(there.sum())
    noisy = any(path.suffix.lower() in _LOSSY for path in paths)
    return Survey(pixels, equal / neighbors if neighbors else 0.0, noisy, palette, tuple(only_ones), (ones, unknown))


def decide(found: Survey, where: Path, asked: Asked = "auto", *, several: bool = False) -> Encoding:
    """Return what the values of a folder of masks mean.

    Args:
        found: the values of its files.
        where: the folder, for messages.
        asked: what the user says; auto: decided by the values.
        several: whether the files are masks of single classes or objects, so that there is one class in each.

    Raises:
        DataError: there are two readings, or not the one that was asked for; the message tells how to choose.
    """
    if asked == "index" and not several:
        return Encoding("index")
    if asked == "levels" and not several:
        return Encoding("levels", levels=_levels(found, where))
    binary = Encoding("binary", _white(found))
    if asked == "binary" or not found.grays or found.palette:
        numbered = asked == "auto" and not several and _are_numbers(found)
        return Encoding("index") if numbered else binary
    if several:
        raise DataError(
            f"{where}: the masks hold the values {found.described}, but each is the mask of one class, black and "
            "white; if everything above the half is the class, set --mask-encoding binary"
        )
    if _are_numbers(found):
        return Encoding("index")
    if len(found.values) == 2:
        return Encoding("binary", found.values[1])
    if _evenly_spaced(found):
        return Encoding("levels", levels=found.values)
    raise DataError(_two_readings(found, where))


def _white(found: Survey) -> int:
    """Return the value of white: 1 if no file has more, else that of 8 or 16 bits."""
    highest = max(found.values, default=0)
    return 1 if highest <= 1 else 255 if highest <= 255 else 65535


def _are_numbers(found: Survey) -> bool:
    """Return whether values are class numbers: small ones besides 0, 1 and 255, or more of 1 than of 255.

    Few ones beside white are noise.
    """
    small = [value for value in found.values if value < IGNORED]
    highest = max(small, default=0)
    if found.noisy or max(found.values, default=0) > IGNORED:
        return False
    if found.palette and highest > 1:
        return True
    if highest > MOST_CLASSES:
        return False
    ones, unknown = found.marked
    return highest > 1 or ones > unknown


def _evenly_spaced(found: Survey) -> bool:
    """Return whether values divide the range from black to white evenly, as 0, 128, 255 do."""
    values = found.values
    if found.noisy or not 3 <= len(values) <= MOST_CLASSES or values[0] or not 250 <= values[-1] <= 255:
        return False
    step = values[-1] / (len(values) - 1)
    return all(abs(value - place * step) <= _STEP for place, value in enumerate(values))


def _levels(found: Survey, where: Path) -> tuple[int, ...]:
    if not 2 <= len(found.values) <= MOST_CLASSES or found.noisy:
        why = "a JPEG, whose values are not exact" if found.noisy else f"{len(found.values)} values"
        raise DataError(f"{where}: --mask-encoding levels needs 2 to {MOST_CLASSES} exact values; the masks have {why}")
    return found.values


def _two_readings(found: Survey, where: Path) -> str:
    if found.noisy:
        return (
            f"{where}: the masks hold gray regions (values {found.described}) and are JPEG files, whose values are not "
            "exact; save them as PNG, or set --mask-encoding binary if everything above 127 is the class"
        )
    known = [value for value in found.values if value != IGNORED]
    each = f", levels ({len(found.values)} classes, one for each value)" if len(found.values) <= MOST_CLASSES else ""
    return (
        f"{where}: the masks hold the values {found.described}, which may be class numbers or gray levels; set "
        f"--mask-encoding index (class numbers, {known[-1] + 1} classes){each} or binary (one class, above 127)"
    )
