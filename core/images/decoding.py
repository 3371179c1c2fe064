"""Pixel values of a decoded image file of any mode."""

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
    """Return levels (H, W, C), uint8 or uint16, of a decoded image; C is 1 (gray), 2 (gray, alpha), 3 (RGB), 4 (RGBA).

    Raises DataError if the value range of the image is unknown.
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
        raise DataError(
            f"{path}: floating-point images are not supported (unknown value range); save it as 8 or 16 bit"
        )
    if image.mode == "CMYK":
        converted = _from_inks(image)
    elif image.mode in ("1", "L", "LA", "La"):
        converted = image.convert("LA" if image.mode != "1" and image.has_transparency_data else "L")
    else:
        converted = image.convert("RGBA" if image.has_transparency_data else "RGB")
    values: npt.NDArray[np.uint8] = np.asarray(converted)
    return values if values.ndim == 3 else values[..., None]


def _is_negative(image: Image.Image) -> bool:
    """Return whether zero is white in a 16-bit TIFF file; Pillow inverts only files with fewer bits."""
    return image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC) == 0  # type: ignore[attr-defined]


def _narrowed(values: npt.NDArray[Any], path: Path) -> npt.NDArray[np.uint16]:
    """Convert 32-bit levels, as Pillow decodes 16-bit files, to 16 bits."""
    if values.min() < 0 or values.max() > 65535:
        raise DataError(f"{path}: 32-bit images are not supported (unknown value range); save it as 8 or 16 bit")
    narrowed: npt.NDArray[np.uint16] = values.astype(np.uint16)
    return narrowed


def _from_inks(image: Image.Image) -> Image.Image:
    """Convert a CMYK image to RGB, with its own color profile if it has one."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # treat a damaged profile like a missing one
    return image.convert("RGB")


def upright(levels: Levels, orientation: object) -> Levels:
    """Rotate and mirror levels (H, W, C) by an EXIF orientation from 1 to 8 (EXIF 2.32, section 4.6.4)."""
    if orientation in (5, 6, 7, 8):
        levels = levels.transpose(1, 0, 2)  # mirrors at the main diagonal, which is orientation 5
    if orientation in (2, 3, 6, 7):
        levels = levels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        levels = levels[::-1]
    return levels.copy()
