"""Open image files that may be damaged, malicious or not images at all. Imports no torch."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from restore.core.atomic import reason
from restore.core.errors import DataError, RestoreError, UsageError, is_out_of_memory
from restore.core.images.libtiff import silence_libtiff

PIXEL_LIMIT = 2**27
"""Images with more pixels (134 million) are refused: a small file may declare an image that fills the memory."""

LIMIT_VARIABLE = "RESTORE_MAX_MEGAPIXELS"
"""Environment variable with another limit, in million pixels; ``none``: no limit."""

# An explicit list, because Pillow runs an external program to open some other formats, such as EPS.
_FORMATS = ("PNG", "JPEG", "MPO", "TIFF", "BMP", "DIB", "WEBP", "GIF", "AVIF", "JPEG2000", "PPM")

# Beginnings of files that are often taken for images, or have the suffix of one.
_OTHER_KINDS = (
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"8BPS", "a Photoshop document"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"v/1\x01", "an OpenEXR image"),
    (b"#?RADIANCE", "a Radiance HDR image"),
    (b"SIMPLE  =", "a FITS image"),
    (b"DDS ", "a DDS texture"),
    (b"gimp xcf", "a GIMP document"),
    (b"\0\0\1\0", "an icon file (ICO)"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a git-LFS pointer; run git lfs pull to get the file"),
)
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "a HEIC image"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF image, which the installed Pillow cannot read"),
    b"crx ": "a raw photograph (CR3)",
}


def pixel_limit() -> float:
    """Return the largest number of pixels of an image. Raises UsageError if the environment variable is no number."""
    text = os.environ.get(LIMIT_VARIABLE, "")
    if not text:
        return PIXEL_LIMIT
    if text.lower() == "none":
        return float("inf")
    try:
        limit = float(text) * 1e6
    except ValueError:
        limit = 0
    if not limit > 0:
        raise UsageError(f"{LIMIT_VARIABLE}={text}: expected a number of million pixels, such as 500, or none")
    return limit


@contextmanager
def open_file(path: Path, frame: int = 0) -> Iterator[Image.Image]:
    """Open an image file without decoding it; errors inside the block become UsageError or DataError with the path.

    Args:
        path: the file.
        frame: index of the frame or page to go to.
    """
    Image.init()
    known = [name for name in _FORMATS if name in Image.OPEN]
    # A file object instead of its path: Pillow maps some files into memory by their path, and then cuts the rows of
    # those that are stored sideways at the wrong width.
    with translate_errors(path), path.open("rb") as file, _lift_pixel_limit(), Image.open(file, formats=known) as image:
        refuse_large(path, image.width, image.height)
        if frame:
            image.seek(frame)
            refuse_large(path, image.width, image.height)
        _drop_malformed(image)
        yield image


_one_at_a_time = threading.RLock()
"""Held while a file is open: threads share Pillow's limit and Python's filters of warnings, which change meanwhile."""


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises about a file into UsageError or DataError with the path."""
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder, not an image")
    silence_libtiff()
    try:
        with _one_at_a_time, warnings.catch_warnings(), _silence(logging.getLogger("PIL.TiffImagePlugin")):
            # The size is checked by ourselves, and an odd tag does not matter if the image decodes.
            warnings.simplefilter("ignore")
            yield
    except RestoreError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: {_what_it_is(path)}") from error
    except PermissionError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    except Exception as error:  # decoders raise anything: AttributeError, AssertionError, struct.error, …
        if is_out_of_memory(error):
            raise
        raise DataError(f"{path}: is damaged or truncated: {str(error) or type(error).__name__}") from error


@contextmanager
def _silence(logger: logging.Logger) -> Iterator[None]:
    """Leave out what a decoder logs about odd tags; it names no file."""
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def refuse_large(path: Path, width: int, height: int) -> None:
    """Raise DataError for a size with more pixels than the limit."""
    limit = pixel_limit()
    if width * height > limit:
        raise DataError(
            f"{path}: too large: {width} x {height} pixels; the limit is {limit / 1e6:.0f} million pixels. Cut it into "
            f"parts, or raise the limit: {LIMIT_VARIABLE}={-(-width * height // 10**6)}"
        )


@contextmanager
def _lift_pixel_limit() -> Iterator[None]:
    """Switch off Pillow's own limit, which nobody could raise."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _drop_malformed(image: Image.Image) -> None:
    """Remove metadata of a wrong type, over which Pillow or the writing of the result would stumble."""
    for name in ("icc_profile", "exif", "xmp"):
        if not isinstance(image.info.get(name, b""), bytes):
            del image.info[name]


def _what_it_is(path: Path) -> str:
    """Return why a file is no image."""
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        return "is empty"
    kind = _BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None
    if head[4:8] == b"ftyp" and kind is None:
        kind = "a video or another container (MP4)"
    kind = kind or next((kind for start, kind in _OTHER_KINDS if head.startswith(start)), None)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        kind = "a web page (HTML); the download failed"
    elif text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        kind = "a vector drawing (SVG)"
    if kind is None:
        return "is not an image (despite its name) or is damaged"
    return f"is {kind}" if ";" in kind or "Pillow" in kind else f"is {kind}; convert it to PNG, JPEG or TIFF"
