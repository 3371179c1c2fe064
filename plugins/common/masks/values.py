"""What the values in mask files mean: how to read them, and where a mask is set. Importing it imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from restore.core.errors import DataError
from restore.core.images.opening import opened

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_values(path: Path, *, tones: bool = False) -> NDArray[Any]:
    """The values (H, W) of a mask file: indices of a palette, or shades of gray.

    With ``tones`` a palette of which black and white alone are used means these: programs that make files small number
    them as they like. Raises UsageError where there is no such file, DataError where it cannot be read or has colors.
    """
    import numpy as np

    with opened(path) as image:
        values = np.asarray(image)
        palette = np.asarray(image.getpalette("RGB"), np.uint8).reshape(-1, 3) if image.mode == "P" else None
    if tones and palette is not None and int(values.max(initial=0)) < len(palette):
        used = palette[np.unique(values)]
        if np.isin(used, (0, 255)).all() and (used == used[:, :1]).all():
            values = palette[values, 0]
    if values.ndim == 3:
        if values.shape[2] in (2, 4):
            values = values[..., :-1]  # opacity says nothing about the class
        if (values != values[..., :1]).any():
            raise DataError(f"{path} is a color image; a mask needs one value per pixel")
        values = values[..., 0]
    return values


def is_foreground(values: NDArray[Any]) -> NDArray[Any]:
    """Where a binary mask is set: above half of white, or above 0 in a mask of zeros and ones.

    White is 255, also in a file of more bits that holds nothing above it, else 65535; in floating-point files it is the
    highest value.
    """
    import numpy as np

    highest = values.max(initial=0)
    if not np.issubdtype(values.dtype, np.integer):
        return np.asarray(values > highest / 2)
    white = 1 if highest <= 1 else 255 if highest <= 255 else 2**16 - 1
    return np.asarray(values > white // 2)
