"""Values of mask files: how to read them, and which are foreground. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from restore.core.errors import DataError
from restore.core.images.opening import opened

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_values(path: Path, *, tones: bool = False) -> NDArray[Any]:
    """Return the values (H, W) of a mask file: palette indices or gray values.

    With ``tones``, a palette of which only black and white are used is read as black and white, because programs number
    such palettes as they like. Raises UsageError if the file does not exist, DataError if it cannot be read or has
    colors.
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
            values = values[..., :-1]  # alpha does not matter
        if (values != values[..., :1]).any():
            raise DataError(f"{path} is a color image; a mask needs one value per pixel")
        values = values[..., 0]
    return values


def is_foreground(values: NDArray[Any]) -> NDArray[Any]:
    """Return where a binary mask is set: above half of white, or above 0 in a mask of zeros and ones.

    White is 255, also in a file of more bits without larger values, else 65535; in floating-point files it is the
    highest value.
    """
    import numpy as np

    highest = values.max(initial=0)
    if not np.issubdtype(values.dtype, np.integer):
        return np.asarray(values > highest / 2)
    white = 1 if highest <= 1 else 255 if highest <= 255 else 2**16 - 1
    return np.asarray(values > white // 2)
