"""The levels of a decoded image file, whatever its mode."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from restore.core.errors import DataError
from restore.core.images import png16

_PHOTOMETRIC = 262  # PhotometricInterpretation (TIFF 6.0, section 8): 0 is WhiteIsZero

Levels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


def levels(image: Image.Image, path: Path) -> Levels:
    """Levels (H, W, C) of a decoded image, uint8 or uint16; C is 1 (gray), 2 (with alpha), 3 (RGB) or 4 (RGBA).

    Raises DataError for images whose white is unknown.
    """
    deep = png16.read(path) if image.format == "PNG" else None
    if deep is not None:
        return deep
    if image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.uint16)[..., None]
        return ~deep if _is_negative(image) else deep
    if image.mode == "I":
        return _narrowed(np.asarray(image), path)[..., None]
    if image.mode == "F":
        raise DataError(f"{path}: floating-point images have no known white; save it with 8 or 16 bits")
    if image.mode == "CMYK":
        converted = _from_inks(image)
    elif image.mode in ("1", "L", "LA", "La"):
        converted = image.convert("LA" if image.mode != "1" and image.has_transparency_data else "L")
    else:
        converted = image.convert("RGBA" if image.has_transparency_data else "RGB")
    values: npt.NDArray[np.uint8] = np.asarray(converted)
    return values if values.ndim == 3 else values[..., None]


def _is_negative(image: Image.Image) -> bool:
    """Whether zero is white in a TIFF file of 16 bits; Pillow turns only those of fewer bits round."""
    return image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC) == 0  # type: ignore[attr-defined]


def _narrowed(values: npt.NDArray[Any], path: Path) -> npt.NDArray[np.uint16]:
    """32-bit levels of files whose levels have 16 bits."""
    if values.min() < 0 or values.max() > 65535:
        raise DataError(f"{path}: 32-bit images have no known white; save it with 8 or 16 bits")
    narrowed: npt.NDArray[np.uint16] = values.astype(np.uint16)
    return narrowed


def _from_inks(image: Image.Image) -> Image.Image:
    """RGB of a CMYK image, by its own color profile where it has one."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # a damaged profile is worth no more than none
    return image.convert("RGB")


def upright(levels: Levels, orientation: object) -> Levels:
    """Levels (H, W, C) turned and mirrored as EXIF orientation 1 to 8 asks (EXIF 2.32, section 4.6.4)."""
    if orientation in (5, 6, 7, 8):
        levels = levels.transpose(1, 0, 2)  # over the main diagonal: all that 5 needs
    if orientation in (2, 3, 6, 7):
        levels = levels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        levels = levels[::-1]
    return levels.copy()
