"""What an encoder has to know about a result before its first row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from restore.core.images.metadata import Metadata

Levels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Strips = Iterator[Levels]
"""Successive rows (h, W, C) of an image, from the first to the last."""


@dataclass(frozen=True)
class RowFormat:
    """Size, depth and metadata of an image that is written row by row."""

    height: int
    width: int
    channels: int
    """1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA)."""
    bits: int = 8
    """Bits per channel: 8 or 16."""
    metadata: Metadata = field(default_factory=Metadata)
    """What else the file says; each format stores what it can."""
    quality: int = 95
    """Quality of a JPEG file, 1 to 100."""

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.width * self.channels * self.bits // 8
