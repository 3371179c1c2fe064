"""Masks and their meaning.

A mask is (1, H, W) of zeros and ones: **one is the hole** (missing, or wanted), zero is known. In files the hole is
white unless the polarity says black; `values.is_foreground` defines white in a gray file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.errors import UsageError
from restore.core.images.files import ImageFile, read_image
from restore.core.images.listing import list_images
from restore.core.images.opening import opened
from restore.plugins.common.masks.naming import find_mask
from restore.plugins.common.masks.settings import Polarity
from restore.plugins.common.masks.values import is_foreground


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
    image = read_image(path)
    hole = _white(path, image, white)
    if polarity == "black-hole":
        hole = ~hole
    return (hole if image.alpha is None else hole & (image.alpha >= 0.5)).float()


def folder_white(files: Sequence[Path]) -> int | None:
    """Return the value of white in the gray masks of a folder: 1 if no mask has a higher value, else 255.

    It stops at the first mask with a higher value. A mask of ones then means the same as in its neighbors. None without
    files. Raises as `read_mask`.
    """
    for path in files:
        image = read_image(path)
        if float(image.color.max()) * (2**image.bits - 1) > 1.5:
            return 255
    return 1 if files else None


def _white(path: Path, image: ImageFile, white: int | None) -> Tensor:
    """Return where an image is white, (1, H, W) bool."""
    color = image.color
    if image.alpha is not None:
        color = color * (image.alpha >= 0.5)
    if bool((color == color[:1]).all()):
        values = (color[0] * (2**image.bits - 1)).round().numpy().astype(np.int32)
        return torch.from_numpy(is_foreground(values, white))[None]
    black = (color == 0).all(0, keepdim=True)
    return ~black if bool(black.any()) and _has_palette(path) else color.mean(0, keepdim=True) >= 0.5


def _has_palette(path: Path) -> bool:
    with opened(path) as image:
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


def color_mask(image: Tensor, color: tuple[int, int, int], tolerance: int) -> Tensor:
    """Return the mask (1, H, W) of the pixels of (3, H, W) in [0, 1] whose channels are within ``tolerance``/255 of a
    color."""
    wanted = torch.tensor(color, dtype=image.dtype)[:, None, None]
    return ((image * 255 - wanted).abs() <= tolerance + 0.5).all(0, keepdim=True).float()


def dilate(mask: Tensor, pixels: int) -> Tensor:
    """Dilate the holes of masks (..., 1, H, W) by ``pixels`` on all sides, with a square."""
    for axis in (0, 1):
        kernel, padding = [1, 1], [0, 0]
        kernel[axis], padding[axis] = 2 * pixels + 1, pixels
        mask = F.max_pool2d(mask, kernel, stride=1, padding=padding) if pixels else mask
    return mask
