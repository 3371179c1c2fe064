"""Find image files that cannot be used before any work is done: by their headers and their ends. Imports no torch."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from restore.core.errors import DataError
from restore.core.images import tiff
from restore.core.images.opening import translate_errors

_JPEG_END, _START_OF_SCAN = b"\xff\xd9", 0xDA
_TAIL = 2**16  # bytes


def check_file(path: Path) -> None:
    """Read the header of an image file and look whether it was cut off, without decoding it.

    Raises DataError for a file that is no image or is truncated.
    """
    with translate_errors(path):
        if tiff.is_tiff(path):
            if tiff.is_cut_off(path):
                raise DataError(f"{path}: is damaged or truncated: its end is missing")
            return
        with path.open("rb") as file:
            head = file.read(32)
            check = next((check for start, check in _CHECKS if head.startswith(start)), None)
            if check is not None and not check(path):
                raise DataError(f"{path}: is damaged or truncated: its end is missing")


def check_files(paths: Sequence[Path]) -> None:
    """Call `check_file` for each file. Raises DataError with the first error and the number of the others."""
    errors = []
    for path in paths:
        try:
            check_file(path)
        except DataError as error:
            errors.append(error)
    if errors:
        more = f" (and {len(errors) - 1} more of {len(paths)} images)" if len(errors) > 1 else ""
        raise DataError(f"{errors[0]}{more}")


def _png_ends(path: Path) -> bool:
    return b"IEND" in _tail(path)


def _jpeg_ends(path: Path) -> bool:
    """Return whether the end marker follows the compressed pixels; a preview in the metadata has one of its own."""
    with path.open("rb") as file:
        place = 2
        while True:
            file.seek(place)
            marker = file.read(4)
            if len(marker) < 4 or marker[0] != 0xFF:
                return False
            if marker[1] == _START_OF_SCAN:
                break
            place += 2 + struct.unpack(">H", marker[2:])[0]
        size = file.seek(0, 2)
        file.seek(max(place, size - _TAIL))
        return _JPEG_END in file.read()


def _gif_ends(path: Path) -> bool:
    return _tail(path).rstrip(b"\0").endswith(b"\x3b")


def _riff_ends(path: Path) -> bool:
    with path.open("rb") as file:
        declared = struct.unpack("<I", file.read(8)[4:])[0]
    return bool(path.stat().st_size >= declared + 8 - 1)  # an odd length may lack its padding


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return file.read()


_CHECKS: tuple[tuple[bytes, Callable[[Path], bool]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png_ends),
    (b"\xff\xd8\xff", _jpeg_ends),
    (b"GIF8", _gif_ends),
    (b"RIFF", _riff_ends),
)
