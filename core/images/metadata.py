"""Metadata of an image file: EXIF data and color profile."""

from __future__ import annotations

import struct

from PIL import Image

ORIENTATION = 0x0112
_FOLDER, _WIDTH, _HEIGHT = 0x8769, 0xA002, 0xA003
# A TIFF file stores its EXIF data among the tags that describe its own bytes; only these remain valid in a PNG.
_TIFF_KEPT = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
_BROKEN = (OSError, SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, struct.error)


def exif(image: Image.Image) -> Image.Exif | None:
    """Return the EXIF data of a decoded image, without the tags that describe the bytes of a TIFF file."""
    try:
        data = image.getexif()
        if image.format != "TIFF":
            return data
        kept = Image.Exif()
        kept.update({tag: data[tag] for tag in (*_TIFF_KEPT, ORIENTATION) if tag in data})
    except _BROKEN:
        return None  # the image is usable without them
    return kept


def orientation(image: Image.Image) -> object:
    """Return the EXIF orientation, 1 to 8, as known so far; does not decode a PNG to find one after its pixels."""
    try:
        return Image.Image.getexif(image).get(ORIENTATION, 1)  # Pillow's PNG class would decode the image
    except _BROKEN:
        return 1


def exif_bytes(exif: Image.Exif | None) -> bytes | None:
    """Return EXIF data as bytes; None if there are none or they cannot be written again."""
    if not exif:
        return None
    try:
        return exif.tobytes()
    except _BROKEN:
        return None


def sized_exif(data: bytes, height: int, width: int) -> bytes:
    """Replace the image size in EXIF data, wherever they contain one."""
    exif = Image.Exif()
    exif.load(data)
    folder = exif.get_ifd(_FOLDER)
    if _WIDTH not in folder and _HEIGHT not in folder:
        return data
    folder.update({_WIDTH: width, _HEIGHT: height})
    return exif_bytes(exif) or data


def fitting_profile(icc: bytes | None, channels: int) -> bytes | None:
    """Return a color profile if it fits the number of channels; bytes 16 to 20 name its space (ICC.1:2022, 7.2)."""
    space = b"GRAY" if channels <= 2 else b"RGB "
    return icc if icc is not None and icc[16:20] == space else None
