"""TIFF files that tests make and no library here can write: any compression of libtiff, packed bits, odd channels."""

import io
import struct

import numpy as np
import tifffile
from PIL import Image


def compressed_rows(rows, compression):
    """Return the single strip of rows of bytes (H, W), compressed by libtiff."""
    stream = io.BytesIO()
    Image.fromarray(rows).save(stream, "TIFF", compression=compression, tiffinfo={278: len(rows)})
    content = stream.getvalue()
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages[0]
        (start,), (length,) = page.dataoffsets, page.databytecounts
        return content[start : start + length], int(page.compression)


def packed(values, bits):
    """Return values (H, W) as rows of bytes, ``bits`` per value, high bits first."""
    high = values[..., None] >> np.arange(bits - 1, -1, -1) & 1
    return np.packbits(high.reshape(len(values), -1).astype(np.uint8), axis=1)


def write_tiff(path, levels, *, bits=16, order="<", compression=None, predictor=1, tags=()):
    """Write unsigned values (H, W, C) with one strip; ``tags`` (tag, values) add to the usual ones or replace them."""
    height, width, channels = levels.shape
    stored = levels
    if predictor == 2:
        before = np.concatenate([np.zeros_like(levels[:, :1]), levels[:, :-1]], axis=1)
        stored = levels - before
    flat = stored.reshape(height, -1)
    rows = flat.astype(f"{order}u2").view(np.uint8) if bits == 16 else packed(flat, bits)
    strip, kind = (rows.tobytes(), 1) if compression is None else compressed_rows(rows, compression)
    entries = {
        256: [width], 257: [height], 258: [bits] * channels, 259: [kind], 262: [2 if channels > 2 else 1], 273: [8],
        277: [channels], 278: [height], 279: [len(strip)], 317: [predictor], **dict(tags),
    }  # fmt: skip
    if channels in (2, 4):
        entries.setdefault(338, [2])
    strip += bytes(len(strip) % 2)
    directory, lists = struct.pack(f"{order}H", len(entries)), b""
    behind = 8 + len(strip) + 2 + 12 * len(entries) + 4
    for tag, values in sorted(entries.items()):
        body = struct.pack(f"{order}{len(values)}H", *values) if max(values) < 2**16 else b""
        form = 3 if body else 4
        body = body or struct.pack(f"{order}{len(values)}I", *values)
        directory += struct.pack(f"{order}HHI", tag, form, len(values))
        if len(body) > 4:
            directory += struct.pack(f"{order}I", behind + len(lists))
            lists += body + bytes(len(body) % 2)
        else:
            directory += body.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    path.write_bytes(mark + struct.pack(f"{order}I", 8 + len(strip)) + strip + directory + bytes(4) + lists)
    return path
