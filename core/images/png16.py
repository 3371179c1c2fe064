"""Read and write PNG files with 16 bits per channel; Pillow supports these for gray only.

Pillow's decoder undoes the compression, the filters and the interlacing of such files, and then keeps one byte of each
value: the high one as it is asked to, or the low one if it is told that the bytes are in the other order. So colors are
decoded twice. Gray with alpha has four bytes for a pixel, as RGBA of 8 bits has, and is decoded as that.

``torchvision.io.decode_png`` reads them too, but it is deprecated, and ended the process on a file with a damaged IDAT
chunk (0.29). pyvips does, but brings a native library under the LGPL, of 8 MB, for this alone.

File format: W3C, Portable Network Graphics (PNG) Specification, third edition.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image

from restore.core.images.backing import StoredLevels, store_levels
from restore.core.images.opening import refuse_large
from restore.core.images.png_chunks import read_chunks

Levels = npt.NDArray[np.uint16]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> IHDR color type
_CHANNELS = {kind: channels for channels, kind in _COLOR_TYPE.items()}
_LOW_BYTE = {3: "RGB;16L", 4: "RGBA;16L"}  # names of Pillow for values with the low byte first
_RGBA = 6  # IHDR color type
_AT_ONCE = 2**21  # pixels that are joined at once


def read(path: Path) -> Levels | None:
    """Return levels (H, W, C) of a PNG with 16 bits per channel, or None for any other file.

    C is 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA). Raises DataError for too many pixels, and what Pillow raises
    if the file is damaged.
    """
    stored = read_stored(path)
    return None if stored is None else stored.levels  # type: ignore[return-value]  # 16 bits


def read_stored(path: Path) -> StoredLevels | None:
    """Return what `read` returns; levels of a large image lie in a file."""
    with path.open("rb") as file:
        start = file.read(33)
        if len(start) < 33 or not start.startswith(_SIGNATURE):
            return None
        width, height, bits, kind = struct.unpack(">IIBB", start[16:26])
        if bits != 16 or kind not in _CHANNELS:
            return None
        refuse_large(path, width, height)
        channels = _CHANNELS[kind]
        parts = list(_decode(file, start, channels))
    keys = [body for _, body in read_chunks(path, (b"tRNS",))] if channels in (1, 3) else []
    key = np.frombuffer(keys[0], ">u2", channels) if keys else None
    step = max(1, _AT_ONCE // width)
    strips = (_join(parts, channels, top, min(top + step, height), key) for top in range(0, height, step))
    return store_levels(height, strips)


def _decode(file: IO[bytes], start: bytes, channels: int) -> Iterator[Image.Image]:
    """Yield images of 8 bits that hold the bytes of the values; gray is yielded as it is."""
    if channels == 2:
        header = start[12:24] + bytes([8, _RGBA]) + start[26:29]
        file.seek(33)
        file = io.BytesIO(start[:12] + header + struct.pack(">I", zlib.crc32(header)) + file.read())
    for low in (False, True) if channels in _LOW_BYTE else (False,):
        file.seek(0)
        with Image.open(file, formats=["PNG"]) as image:
            if low:
                image.tile = [(*tile[:3], _LOW_BYTE[channels]) for tile in image.tile]  # type: ignore[misc]  # plain tuples in older Pillow
            image.load()
            yield image


def _join(parts: Sequence[Image.Image], channels: int, top: int, bottom: int, key: Levels | None) -> Levels:
    """Return rows (h, W, C) of the values whose bytes `_decode` yields; ``key`` is the transparent color."""
    rows = [np.asarray(part.crop((0, top, part.width, bottom))) for part in parts]
    if channels == 1:
        levels: Levels = rows[0].astype(np.uint16)[..., None]
    elif channels == 2:
        levels = np.ascontiguousarray(rows[0]).view(">u2").astype(np.uint16)
    else:
        levels = rows[0].astype(np.uint16) << 8 | rows[1]
    if key is None:
        return levels
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


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
