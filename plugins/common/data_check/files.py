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
from restore.plugins.common.masks.survey import FileSurvey, survey_file
from restore.plugins.common.masks.values import open_values


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
    values: FileSurvey | None = None
    """The values of a mask."""


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


def decode_mask(path: Path) -> File:
    """Decode a mask and describe it, as `decode` does an image; colors are an error."""
    try:
        mask = open_values(path)
    except RestoreError as error:
        return File(path, error=str(error).removeprefix(str(path)).lstrip(": "))
    height, width = mask.stored.shape
    kind = f"{'palette' if mask.palette else 'gray'}, {8 * mask.stored.dtype.itemsize} bits"
    return File(path, (height, width), kind, values=survey_file(path, mask))


def decode_all(images: Sequence[Path], masks: Sequence[Path]) -> dict[Path, File]:
    """Decode each file once, in threads, and return their descriptions in this order."""
    with ThreadPoolExecutor(cores()) as pool:
        found = [*pool.map(decode, images), *pool.map(decode_mask, masks)]
    return {file.path: file for file in found}


def find_doubles(files: Iterable[File]) -> list[list[Path]]:
    """Return the groups of files with equal pixels."""
    same = defaultdict(list)
    for file in files:
        if not file.error:
            same[file.digest].append(file.path)
    return [paths for paths in same.values() if len(paths) > 1]
