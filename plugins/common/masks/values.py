"""Values of mask files: how to read them, and which are foreground. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MaskValues:
    """What a mask file holds."""

    stored: NDArray[Any]
    """(H, W), upright: palette indices or gray values."""
    tones: NDArray[Any]
    """The same, but a palette of which only black and white are used is looked up, because programs number such
    palettes as they like."""
    palette: bool
    """Whether the file has a palette."""
    colors: bool
    """Whether more of the palette is used than black and white."""


def open_values(path: Path) -> MaskValues:
    """Decode a mask file.

    Raises UsageError if the file does not exist, DataError if it cannot be read or has colors.
    """
    from restore.core.images.decoding import decode_values

    decoded = decode_values(path)
    values, palette = decoded.values, decoded.palette
    if palette is None or not _only_tones(values, palette):
        return MaskValues(values, values, palette is not None, palette is not None)
    return MaskValues(values, palette[values, 0], palette=True, colors=False)


def read_values(path: Path, *, tones: bool = False) -> NDArray[Any]:
    """Return the values (H, W) of a mask file, with ``tones`` as `MaskValues` says. Raises as `open_values`."""
    found = open_values(path)
    return found.tones if tones else found.stored


def _only_tones(values: NDArray[Any], palette: NDArray[Any]) -> bool:
    import numpy as np

    if int(values.max(initial=0)) >= len(palette):
        return False
    used = palette[np.unique(values)]
    return bool(np.isin(used, (0, 255)).all() and (used == used[:, :1]).all())


def is_foreground(values: NDArray[Any], white: int | None = None) -> NDArray[Any]:
    """Return where a binary mask is set: above half of white.

    Args:
        values: the values of the file.
        white: the value of white; None: decided by this file alone. It is 1 in a mask of zeros and ones, 255 in a file
            without larger values, else 65535; in floating-point files it is the highest value.
    """
    import numpy as np

    highest = values.max(initial=0)
    if not np.issubdtype(values.dtype, np.integer):
        return np.asarray(values > highest / 2)
    return np.asarray(values > choose_white(int(highest), white, values.dtype.itemsize == 1) // 2)


def choose_white(highest: int, white: int | None, bytes_: bool) -> int:
    """Return the value of white in a mask of integers.

    Args:
        highest: its highest value.
        white: the value of white in its folder; None: decided by this file alone.
        bytes_: whether the file has 8 bits.
    """
    if white is None:
        return 1 if highest <= 1 else 255 if highest <= 255 else 2**16 - 1
    if white == 255 and highest > 255:
        return 2**16 - 1  # a file of 16 bits among others of 8
    if white == 2**16 - 1 and highest <= 255 and bytes_:
        return 255
    return white
