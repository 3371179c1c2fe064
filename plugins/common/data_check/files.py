"""Decode the files of a folder, and compare them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from restore.core.errors import RestoreError
from restore.core.images.files import open_image
from restore.core.runtime.processes import cores


@dataclass(frozen=True)
class File:
    """One decoded file."""

    path: Path
    size: tuple[int, int] = (0, 0)
    """Height and width in pixels, upright."""
    kind: str = ""
    """Channels and depth, as ``RGB, 8 bits``."""
    digest: str = ""
    """Hash of its pixels; equal for the same pixels in another format."""
    error: str = ""
    """Why it cannot be read; empty if it can."""


def decode(path: Path) -> File:
    """Decode a file and describe it; an error becomes part of the description."""
    try:
        image = open_image(path)
    except RestoreError as error:
        return File(path, error=str(error).removeprefix(f"{path}: "))
    channels = "gray" if image.gray else "RGB"
    alpha = " with alpha" if image.has_alpha else ""
    digest = hashlib.sha256(repr(image.levels.shape).encode() + np.ascontiguousarray(image.levels).tobytes())
    return File(path, image.size, f"{channels}{alpha}, {image.bits} bits", digest.hexdigest())


def decode_all(paths: Sequence[Path]) -> dict[Path, File]:
    """Decode files in threads, and return their descriptions in the order of ``paths``."""
    with ThreadPoolExecutor(cores()) as pool:
        return dict(zip(paths, pool.map(decode, paths), strict=True))


def find_doubles(files: Iterable[File]) -> list[list[Path]]:
    """Return the groups of files with equal pixels."""
    same = defaultdict(list)
    for file in files:
        if not file.error:
            same[file.digest].append(file.path)
    return [paths for paths in same.values() if len(paths) > 1]
