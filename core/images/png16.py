"""Read and write PNG files with 16 bits per channel; Pillow supports these for gray only.

``torchvision.io.decode_png`` reads them too, but it is deprecated, and ended the process on a file with a damaged IDAT
chunk (0.29). pyvips does, but brings a native library under the LGPL, of 8 MB, for this alone.

File format: W3C, Portable Network Graphics (PNG) Specification, third edition.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint16]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> IHDR color type
_CHANNELS = {kind: channels for channels, kind in _COLOR_TYPE.items()}
# top, left, step down, step to the right of the seven images of an interlaced file (section 8.2)
_ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def read(path: Path) -> Levels | None:
    """Return levels (H, W, C) of a PNG with 16 bits per channel, or None for any other file.

    C is 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA). Raises ValueError if the file is damaged.
    """
    with path.open("rb") as file:
        start = file.read(33)
        if len(start) < 33 or not start.startswith(_SIGNATURE):
            return None
        width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", start[16:29])
        if bits != 16 or kind not in _CHANNELS:
            return None
        chunks = list(_chunks(file.read()))
    channels = _CHANNELS[kind]
    decoder = zlib.decompressobj()
    # Each image of an interlaced file is smaller by a grid; one that is not interlaced is a single image.
    grids = [grid for grid in (_ADAM7 if interlaced else [(0, 0, 1, 1)]) if grid[0] < height and grid[1] < width]
    sizes = [(-(-(height - top) // down), -(-(width - left) // across)) for top, left, down, across in grids]
    lengths = [rows * (1 + columns * channels * 2) for rows, columns in sizes]
    data = decoder.decompress(b"".join(body for name, body in chunks if name == b"IDAT"), sum(lengths))
    if len(data) != sum(lengths):
        raise ValueError("truncated")
    levels = np.zeros((height, width, channels), np.uint16)
    for (top, left, down, across), (rows, columns), length in zip(grids, sizes, lengths, strict=True):
        lines, data = np.frombuffer(data[:length], np.uint8).reshape(rows, -1), data[length:]
        bytes_ = _unfiltered(lines[:, 1:].reshape(rows, columns, channels * 2), lines[:, 0])
        levels[top::down, left::across] = bytes_.view(">u2")
    transparent = next((body for name, body in chunks if name == b"tRNS"), None)
    if transparent is None or channels not in (1, 3):
        return levels
    key = np.frombuffer(transparent, ">u2", channels)
    alpha = np.where((levels == key).all(-1, keepdims=True), 0, 65535).astype(np.uint16)
    return np.concatenate([levels, alpha], axis=-1)


def write(path: Path, levels: Levels, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    """Write levels (H, W, C), C from 1 to 4, as PNG, with ``more`` chunks (name and content) before the pixels."""
    height, width, channels = levels.shape
    lines = np.ascontiguousarray(levels.astype(">u2")).view(np.uint8).reshape(height, -1)
    above = np.concatenate([np.zeros_like(lines[:1]), lines[:-1]])
    filtered = np.concatenate(
        [np.full((height, 1), 2, np.uint8), lines - above], axis=1
    )  # filter 2: minus the line above
    with path.open("wb") as file:
        file.write(_SIGNATURE)
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, _COLOR_TYPE[channels], 0, 0, 0)))
        file.writelines(chunk(name, body) for name, body in more)
        file.write(chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6)))
        file.write(chunk(b"IEND", b""))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of each chunk."""
    place = 0
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += length + 12


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _unfiltered(lines: npt.NDArray[np.uint8], filters: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Undo the filters (H,) of lines (H, W, bytes per pixel); a filter stores the difference to neighboring pixels.

    A pixel depends on its left, upper and upper-left neighbors. Pixels on one anti-diagonal are independent of each
    other, so they are computed together, even if the filter changes from line to line.
    """
    if filters.max(initial=0) > 4:
        raise ValueError("unknown filter")
    height, width, size = lines.shape
    restored = np.zeros((height + 1, width + 1, size), np.int16)  # one line above and one pixel to the left are zero
    flat = restored.reshape(-1, size)
    source = np.ascontiguousarray(lines).reshape(-1, size)
    row = width + 1
    for diagonal in range(height + width - 1):
        first = max(0, diagonal - width + 1)
        count = min(height - 1, diagonal) - first + 1
        here = (first + 1) * row + diagonal - first + 1  # one line down and one pixel left is `width` elements later
        span = (count - 1) * width + 1
        left, above, corner = (flat[here - back : here - back + span : width] for back in (1, row, row + 1))
        start = first * width + diagonal - first
        step = max(width - 1, 1)
        saved = source[start : start + (count - 1) * step + 1 : step]
        kind = filters[first : first + count, None]
        flat[here : here + span : width] = (saved + _predicted(kind, left, above, corner)) & 0xFF
    return np.ascontiguousarray(restored[1:, 1:].astype(np.uint8))


def _predicted(
    kind: npt.NDArray[np.uint8],
    left: npt.NDArray[np.int16],
    above: npt.NDArray[np.int16],
    corner: npt.NDArray[np.int16],
) -> npt.NDArray[np.int16]:
    """Return each filter's prediction of a pixel: zero, left, above, their mean, or the nearest of three (Paeth)."""
    to_left, to_above = np.abs(above - corner), np.abs(left - corner)
    to_corner = np.abs(left + above - 2 * corner)
    nearest = np.where(
        (to_left <= to_above) & (to_left <= to_corner), left, np.where(to_above <= to_corner, above, corner)
    )
    choices = [np.zeros_like(left), left, above, (left + above) >> 1, nearest]
    return np.select([kind == number for number in range(5)], choices)
