"""Masks and their meaning.

A mask is (1, H, W) of zeros and ones: **one is the hole** (missing, or wanted), zero is known. In files the hole is
white unless the polarity says black; `values.is_foreground` defines white in a gray file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from restore.core.errors import UsageError
from restore.core.images.files import SourceImage, open_image
from restore.core.images.listing import list_images
from restore.core.images.opening import open_file
from restore.plugins.common.masks.naming import find_mask
from restore.plugins.common.masks.settings import Polarity
from restore.plugins.common.masks.values import choose_white


def read_mask(path: Path, polarity: Polarity = "white-hole", white: int | None = None) -> Tensor:
    """Read a mask (1, H, W) from an image file of any kind, upright.

    In a gray file `is_foreground` decides; values 0 and 1 count as black and white too. In a color file, white is what
    is nearer to white than to black. In a palette file that uses black, such as one with class numbers, white is
    everything that is not black. Transparent pixels are no hole, whatever the polarity. Raises UsageError if the file
    does not exist, DataError if it is damaged.

    Args:
        path: the file.
        polarity: which color marks the hole.
        white: value of white in gray files, as `folder_white` finds it; None: decided by this file alone.
    """
    return torch.from_numpy(read_hole_file(path, polarity, white))[None].float()


def read_hole_file(path: Path, polarity: Polarity = "white-hole", white: int | None = None) -> NDArray[np.bool_]:
    """Return where the hole is, (H, W), one byte a pixel; see `read_mask`."""
    image = open_image(path)
    strips = list(_strips(*image.size))
    gray, highest, black = True, 0, False
    for rows in strips:
        colors, _ = _visible_levels(image, rows)
        gray = gray and not bool((colors != colors[..., :1]).any())
        highest, black = max(highest, int(colors.max(initial=0))), black or bool((colors == 0).all(-1).any())
    above = choose_white(highest, white, bytes_=False) // 2
    palette = not gray and black and _has_palette(path)
    hole = np.empty(image.size, np.bool_)
    for rows in strips:
        colors, visible = _visible_levels(image, rows)
        if gray:
            found = colors[..., 0] > above
        elif palette:
            found = (colors != 0).any(-1)
        else:
            found = 2 * colors.sum(-1, dtype=np.int64) >= colors.shape[-1] * (2**image.bits - 1)
        hole[rows] = (found if polarity == "white-hole" else ~found) & visible
    return hole


def _visible_levels(image: SourceImage, rows: slice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the levels (h, W, C) of some rows, without alpha and black where they are transparent, and where they are
    not."""
    levels = image.levels[rows]
    if not image.has_alpha:
        colors, visible = levels.copy(), np.ones(levels.shape[:2], np.bool_)
    else:
        visible = 2 * levels[..., -1].astype(np.int64) >= 2**image.bits - 1
        colors = levels[..., :-1] * visible[..., None]
    image.release()
    return colors, visible


def _strips(height: int, width: int) -> Iterator[slice]:
    step = max(1, 2**20 // max(1, width))
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def folder_white(files: Sequence[Path]) -> int | None:
    """Return the value of white in the gray masks of a folder: 1 if no mask has a higher value, else 255.

    It stops at the first mask with a higher value. A mask of ones then means the same as in its neighbors. None without
    files. Raises as `read_mask`.
    """
    for path in files:
        image = open_image(path)
        colors = image.levels[..., : image.levels.shape[2] - image.has_alpha]
        if int(colors.max(initial=0)) > 1:
            return 255
    return 1 if files else None


def _has_palette(path: Path) -> bool:
    with open_file(path) as image:
        return image.mode == "P"


def mask_of(image: Path, masks: Path) -> Path:
    """Return the mask file of an image: ``masks`` itself, or the file in it with a name of `mask_names`.

    Raises UsageError if there is none, or if there are several of one name and none has the suffix of the image.
    """
    if not masks.is_dir():
        return masks
    named: dict[str, list[Path]] = {}
    for path in list_images(masks):
        named.setdefault(path.stem, []).append(path)
    found = find_mask(image.stem, named)
    if found is None:
        raise UsageError(f"{image}: no mask of the same name in {masks} (nor {image.stem}_mask)")
    same = [path for path in found if path.name == image.name]
    if len(found) > 1 and not same:
        names = " or ".join(path.name for path in found)
        raise UsageError(f"{image}: several masks of the same name in {masks} ({names}); keep one of them")
    return (same or found)[0]


def masks_of(images: Sequence[Path], masks: Path) -> list[Path]:
    """Return the mask file in a folder of each image. Raises UsageError as `mask_of`, and for masks without image."""
    found = [mask_of(image, masks) for image in images]
    if alone := [path for path in list_images(masks) if path not in set(found)]:
        more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
        raise UsageError(f"{alone[0]}: no image belongs to this mask{more}")
    return found


def resize_mask(mask: Tensor, height: int, width: int) -> Tensor:
    """Resize a mask (1, H, W) with nearest-neighbor interpolation, so that it stays binary."""
    if mask.shape[-2:] == (height, width):
        return mask
    rows, columns = (
        (2 * torch.arange(wanted) + 1) * own // (2 * wanted)  # index of the source pixel under the center of each pixel
        for own, wanted in zip(mask.shape[-2:], (height, width), strict=True)
    )
    return mask[:, rows][:, :, columns]


def dilate(mask: Tensor, pixels: int) -> Tensor:
    """Dilate the holes of masks (..., 1, H, W) by ``pixels`` on all sides, with a square."""
    for axis in (0, 1):
        kernel, padding = [1, 1], [0, 0]
        kernel[axis], padding[axis] = 2 * pixels + 1, pixels
        mask = F.max_pool2d(mask, kernel, stride=1, padding=padding) if pixels else mask
    return mask
