"""Size of an upright image, without decoding it. Imports no torch."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from PIL import Image

from restore.core.images import metadata, tiff
from restore.core.images.opening import open_file, refuse_large

_SIDEWAYS = (5, 6, 7, 8)
# Keywords of PNG text chunks in which Pillow finds an orientation.
_TELLING = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
_KEYWORD = max(map(len, _TELLING))


def get_upright_size(image: Image.Image, path: Path) -> tuple[int, int]:
    """Return height and width, after upright rotation, of an image opened from ``path``.

    Decodes only PNGs that may store their orientation after the pixels.
    """
    if image.format == "PNG" and _tells_late(path):
        image.load()
    width, height = image.size
    return (width, height) if metadata.orientation(image) in _SIDEWAYS else (height, width)


def tiff_size(path: Path) -> tuple[int, int]:
    """Return height and width, after upright rotation, of the first page of a TIFF file.

    Raises DataError for one with too many pixels.
    """
    page = tiff.frames(path)[0]
    width, height = tiff.size(path, page)
    refuse_large(path, width, height)
    turned, _ = metadata.of_tiff(path, page)
    return (width, height) if turned in _SIDEWAYS else (height, width)


def orientation_of(path: Path) -> object:
    """Return the orientation, 1 to 8, that an image file declares."""
    with open_file(path) as image:
        if image.format == "PNG" and _tells_late(path):
            image.load()
        return metadata.orientation(image)


def _tells_late(path: Path) -> bool:
    """Return whether a PNG may store its orientation after the pixels; reads only the start of each chunk."""
    behind = False
    with path.open("rb", buffering=0) as file:  # unbuffered: skipped parts are not read
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            behind = behind or name == b"IDAT"
            start = file.read(min(length, _KEYWORD))
            told = name == b"eXIf" or (name in (b"iTXt", b"tEXt", b"zTXt") and start.startswith(_TELLING))
            if behind and told:
                return True
            file.seek(length - len(start) + 4, os.SEEK_CUR)
    return False
