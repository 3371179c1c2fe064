"""Levels of large images in a file without a name, so that memory holds only what is being used.

The system drops pages of such a file from memory when it needs room, and `release` makes it do so at once. The file
lies in the folder for temporary files (TMPDIR) and vanishes with the process, however that ends.
"""

from __future__ import annotations

import mmap
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np

from restore.core.images.row_format import Levels

IN_MEMORY = 2**28
"""Largest number of bytes of levels that stay in memory."""


def _keep() -> None:
    """Release nothing."""


@dataclass(frozen=True)
class StoredLevels:
    """Levels (H, W, C), and a function that lets those that were read leave memory."""

    levels: Levels
    release: Callable[[], None] = _keep


def store_levels(height: int, strips: Iterator[Levels]) -> StoredLevels:
    """Join successive rows (h, W, C) to an image of ``height`` rows, in a file if it is large and there is room."""
    first = next(strips)
    size = height * first[0].nbytes
    if size <= IN_MEMORY or not _has_room(size):
        levels: Levels = np.empty((height, *first.shape[1:]), first.dtype)
        place = 0
        for strip in chain([first], strips):
            levels[place : place + len(strip)] = strip
            place += len(strip)
        return StoredLevels(levels)
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the mapping keeps it
    for strip in chain([first], strips):
        file.write(np.ascontiguousarray(strip).data)  # a full disk is an error here; in the mapping it would be a crash
    file.flush()
    mapped = mmap.mmap(file.fileno(), size)
    levels = np.frombuffer(mapped, first.dtype).reshape(height, *first.shape[1:])  # type: ignore[assignment]
    return StoredLevels(levels, partial(_release, mapped))


def _has_room(size: int) -> bool:
    try:
        return shutil.disk_usage(tempfile.gettempdir()).free > 1.1 * size
    except OSError:  # there is no folder for temporary files
        return False


def _release(mapped: mmap.mmap) -> None:
    if hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)  # of a shared mapping: changes stay in the file
