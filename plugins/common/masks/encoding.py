"""What the values of mask files mean, decided once for a whole folder. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from restore.core.errors import DataError
from restore.plugins.common.masks.survey import IGNORED, Survey

MOST_CLASSES = 64
"""A mask with larger numbers (except 255) may contain gray values instead of class numbers."""

Asked = Literal["auto", "binary", "index", "levels"]

_STEP = 2
"""How much the steps between evenly spaced levels may differ."""


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
