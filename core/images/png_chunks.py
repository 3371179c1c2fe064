"""Find chunks of PNG files without decoding the image. Imports no torch."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

COLOR = (b"cHRM", b"gAMA", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"mDCv", b"cLLi")
"""How to show the colors, besides the profile."""
TEXT = (b"tEXt", b"zTXt", b"iTXt")

_SIGNATURE = 8  # bytes


def read_chunks(path: Path, names: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of the intact chunks of some names; skips the content of all others."""
    end = path.stat().st_size
    with path.open("rb", buffering=0) as file:  # unbuffered: skipped parts are not read
        file.seek(_SIGNATURE)
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name not in names or file.tell() + length + 4 > end:
                file.seek(length + 4, os.SEEK_CUR)
                continue
            body = file.read(length)
            if file.read(4) == struct.pack(">I", zlib.crc32(name + body)):
                yield name, body
