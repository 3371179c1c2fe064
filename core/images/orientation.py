"""The size of an upright image, known without decoding it. Imports no torch."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from PIL import Image

from restore.core.images import metadata

_SIDEWAYS = (5, 6, 7, 8)
_IMAGE_WIDTH, _IMAGE_LENGTH = 256, 257  # TIFF 6.0, section 8
# Keywords of PNG texts in which Pillow finds an orientation.
_TELLING = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
_KEYWORD = max(map(len, _TELLING))


def upright_size(image: Image.Image, path: Path) -> tuple[int, int]:
    """Height and width, once turned upright, of an image that was opened from ``path``.

    Only a PNG that says behind its pixels how it is turned is decoded for it.
    """
    if image.format == "PNG" and _tells_late(path):
        image.load()
    width, height = image.size
    if image.format == "TIFF":
        # Some versions of Pillow give the size of the upright image already; the tags tell that of the stored one.
        tags = image.tag_v2  # type: ignore[attr-defined]  # of TIFF files alone
        width, height = tags.get(_IMAGE_WIDTH, width), tags.get(_IMAGE_LENGTH, height)
    return (width, height) if metadata.orientation(image) in _SIDEWAYS else (height, width)


def _tells_late(path: Path) -> bool:
    """Whether a PNG may say behind its pixels how it is turned; only the start of each chunk is read."""
    behind = False
    with path.open("rb", buffering=0) as file:  # what is skipped is not read
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
