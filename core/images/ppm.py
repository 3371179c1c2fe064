"""PPM and PGM files with more than 8 bits per channel, of which Pillow keeps 8 in color. Imports no torch.

File format: netpbm.sourceforge.net/doc/ppm.html and pgm.html.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_CHANNELS = {b"P2": 1, b"P3": 3, b"P5": 1, b"P6": 3}
_PLAIN = (b"P2", b"P3")
_NUMBER = rb"(?:\s|#[^\r\n]*[\r\n])+(\d+)"
_HEADER = re.compile(rb"(P[2356])" + 3 * _NUMBER + rb"(?:\s|#[^\r\n]*[\r\n])")
_LONGEST = 4096  # bytes of a header with its comments


def read_deep(path: Path) -> npt.NDArray[np.uint16] | None:
    """Return levels (H, W, C), uint16, of a file whose highest value is above 255; None for any other file.

    Raises ValueError if the file is damaged, or what `refuse_large` raises.
    """
    import numpy as np

    from restore.core.images.opening import refuse_large

    with path.open("rb") as file:
        header = _HEADER.match(file.read(_LONGEST))
        if header is None or int(header[4]) <= 255:
            return None
        kind, width, height, highest = header[1], *map(int, header.group(2, 3, 4))
        refuse_large(path, width, height)
        if highest > 65535:
            raise ValueError("its highest value is above 65535")
        count = width * height * _CHANNELS[kind]
        file.seek(header.end())
        if kind in _PLAIN:
            text = re.sub(rb"#[^\r\n]*", b"", file.read())
            values = np.array(text.split()[:count], np.uint32)
        else:
            values = np.frombuffer(file.read(2 * count), ">u2").astype(np.uint32)
    if not count or len(values) < count:
        raise ValueError("truncated")
    if values.max() > highest:
        raise ValueError("a value is above the highest that it declares")
    levels = (values * np.uint32(65535) + highest // 2) // highest if highest < 65535 else values
    return levels.astype(np.uint16).reshape(height, width, _CHANNELS[kind])
