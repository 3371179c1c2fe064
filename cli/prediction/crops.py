"""The same part of an image and of its results, at 100 %."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from restore.core.errors import RestoreError
from restore.core.images.files import SourceImage, open_image
from restore.core.images.pixels import to_pil_image

_LOOKED_AT = 512
"""Longest side in pixels of what is looked at to find the part with most detail."""


@dataclass(frozen=True)
class Version:
    """The input, or what one model made of it."""

    label: str
    path: Path | None
    """None: it failed."""
    frame: int | None = None


@dataclass(frozen=True)
class Crop:
    """A part of a version."""

    label: str
    image: Image.Image | None
    """None: it failed."""
    about: str
    """Its size, and whether it is upscaled to that of the others."""


@dataclass(frozen=True)
class Region:
    """A part of an image as shares of its height and width, so that it fits versions of every size."""

    top: float
    left: float
    height: float
    width: float


def cut_crops(versions: Sequence[Version], side: int) -> tuple[list[Crop], str]:
    """Cut the part with most detail out of every version.

    Args:
        versions: the input first.
        side: longest side of the part, in pixels of the largest version. Smaller versions are upscaled to it by
            repeating pixels.

    Returns:
        The crops in order, and words that say which part they are.
    """
    opened = [_open(version) for version in versions]
    there = [image for image in opened if image is not None]
    if not there:
        return [Crop(version.label, None, "failed") for version in versions], ""
    height, width = max((image.size for image in there), key=lambda size: size[0] * size[1])
    rows, columns = min(side, height), min(side, width)
    region = _find_detail(opened[0] or there[0], rows / height, columns / width)
    whole = (rows, columns) == (height, width)
    left, top = round(region.left * width), round(region.top * height)
    place = f"{columns} x {rows} of {width} x {height} pixels, from {left}, {top}"
    crops = [_cut(version, image, region, rows, columns) for version, image in zip(versions, opened, strict=True)]
    return crops, "the whole image" if whole else place


def _open(version: Version) -> SourceImage | None:
    if version.path is None:
        return None
    try:
        return open_image(version.path, version.frame or 0)
    except RestoreError:
        return None  # its model has reported it


def _cut(version: Version, image: SourceImage | None, region: Region, rows: int, columns: int) -> Crop:
    if image is None:
        return Crop(version.label, None, "failed")
    height, width = image.size
    top, left = round(region.top * height), round(region.left * width)
    bottom, right = (
        max(top + 1, round((region.top + region.height) * height)),
        round((region.left + region.width) * width),
    )
    part = image.crop(slice(top, bottom), slice(left, max(left + 1, right)))
    color = part.color if part.alpha is None else part.color * part.alpha + (1 - part.alpha)  # on white
    cropped = to_pil_image(color)
    about = f"{width} x {height}"
    if cropped.size != (columns, rows):
        cropped = cropped.resize((columns, rows), Image.Resampling.NEAREST)
        about += ", upscaled"
    return Crop(version.label, cropped, about)


def _find_detail(image: SourceImage, height: float, width: float) -> Region:
    """Return the part of an image, of a share of its height and width, with the largest differences of neighbors."""
    step = max(1, max(image.size) // _LOOKED_AT)
    gray = image.levels[::step, ::step, : 1 if image.gray else 3].astype(np.float32).mean(2)
    change = np.zeros_like(gray)
    change[1:] += np.abs(np.diff(gray, axis=0))
    change[:, 1:] += np.abs(np.diff(gray, axis=1))
    rows, columns = (max(1, int(share * own)) for share, own in zip((height, width), gray.shape, strict=True))
    sums = np.pad(change.cumsum(0, dtype=np.float64).cumsum(1), ((1, 0), (1, 0)))
    inside = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    return Region(
        min(float(top) / gray.shape[0], 1 - height), min(float(left) / gray.shape[1], 1 - width), height, width
    )
