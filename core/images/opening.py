"""Open image files that may be damaged, malicious or not images at all. Imports no torch."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from restore.core.atomic import reason
from restore.core.errors import DataError, UsageError

PIXEL_LIMIT = 2**27
"""Images with more pixels (134 million) are refused: a small file may declare an image that fills the memory."""

# An explicit list, because Pillow runs an external program to open some other formats, such as EPS.
_FORMATS = ("PNG", "JPEG", "MPO", "TIFF", "BMP", "DIB", "WEBP", "GIF", "AVIF", "JPEG2000", "PPM")
# What Pillow's decoders raise for damaged files.
_BROKEN = (OSError, SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, RuntimeError, EOFError)
_BROKEN_INSIDE = (struct.error, zlib.error)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open an image file without decoding it; errors inside the block become UsageError or DataError with the path."""
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder, not an image")
    Image.init()
    known = [name for name in _FORMATS if name in Image.OPEN]
    try:
        with warnings.catch_warnings():
            # The size is checked below, and an odd tag does not matter if the image decodes.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=known) as image:
                if image.width * image.height > PIXEL_LIMIT:
                    raise DataError(_too_large(path, f"{image.width} x {image.height} pixels"))
                yield image
    except Image.DecompressionBombError as error:
        raise DataError(_too_large(path, "far too many pixels")) from error
    except UnidentifiedImageError as error:
        state = "is empty" if path.stat().st_size == 0 else "is not an image (despite its name) or is damaged"
        raise DataError(f"{path}: {state}") from error
    except PermissionError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    except (*_BROKEN, *_BROKEN_INSIDE) as error:
        raise DataError(f"{path}: is damaged or truncated: {error}") from error


def _too_large(path: Path, size: str) -> str:
    return f"{path}: too large: {size}; the limit is {PIXEL_LIMIT / 1e6:.0f} million pixels. Cut it into parts"
