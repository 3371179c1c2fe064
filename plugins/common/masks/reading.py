"""Masks of holes, and the one meaning that they have everywhere.

A mask is (1, H, W) of zeros and ones: **one is the hole**, what is missing or wanted; zero is known. In files a hole is
white, unless it is said to be black; `values.is_foreground` says what white is in a gray file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.errors import UsageError
from restore.core.images.files import ImageFile, read_image
from restore.core.images.listing import list_images
from restore.core.images.opening import opened
from restore.plugins.common.masks.settings import Polarity
from restore.plugins.common.masks.values import is_foreground


def read_mask(path: Path, polarity: Polarity = "white-hole") -> Tensor:
    """A mask (1, H, W) from an image file of any kind, upright.

    Of a gray file the values decide, as `is_foreground` says: 0 and 1 are black and white too. Of a color file that is
    white which is nearer to white than to black; of one with a palette in which black is used, as files of class
    numbers have it, all that is not black. What cannot be seen is not white. Raises UsageError when there is no such
    file, DataError when it is damaged.
    """
    white = _white(path, read_image(path))
    return (white if polarity == "white-hole" else ~white).float()


def _white(path: Path, image: ImageFile) -> Tensor:
    """Where an image is white, (1, H, W) bool."""
    color = image.color
    if image.alpha is not None:
        color = color * (image.alpha >= 0.5)
    if bool((color == color[:1]).all()):
        values = (color[0] * (2**image.bits - 1)).round().numpy().astype(np.int32)
        return torch.from_numpy(is_foreground(values))[None]
    black = (color == 0).all(0, keepdim=True)
    return ~black if bool(black.any()) and _has_palette(path) else color.mean(0, keepdim=True) >= 0.5


def _has_palette(path: Path) -> bool:
    with opened(path) as image:
        return image.mode == "P"


def mask_of(image: Path, masks: Path) -> Path:
    """The mask file of an image: ``masks`` itself, or the file of the same name in it, apart from the suffix.

    Raises UsageError when there is none, or several of which none has the image's suffix.
    """
    if not masks.is_dir():
        return masks
    found = [path for path in list_images(masks) if path.stem == image.stem]
    same = [path for path in found if path.name == image.name]
    if not found:
        raise UsageError(f"{image}: no mask of the same name in {masks}")
    if len(found) > 1 and not same:
        names = " or ".join(path.name for path in found)
        raise UsageError(f"{image}: several masks of the same name in {masks} ({names}); keep one of them")
    return (same or found)[0]


def resize_mask(mask: Tensor, height: int, width: int) -> Tensor:
    """A mask (1, H, W) brought to another size, each pixel being the nearest one: no value between hole and known."""
    if mask.shape[-2:] == (height, width):
        return mask
    rows, columns = (
        (2 * torch.arange(wanted) + 1) * own // (2 * wanted)  # of the source, what is under each pixel's middle
        for own, wanted in zip(mask.shape[-2:], (height, width), strict=True)
    )
    return mask[:, rows][:, :, columns]


def color_mask(image: Tensor, color: tuple[int, int, int], tolerance: int) -> Tensor:
    """A mask (1, H, W) of where an image (3, H, W) in [0, 1] has a color, each channel of 255 up to ``tolerance``."""
    wanted = torch.tensor(color, dtype=image.dtype)[:, None, None]
    return ((image * 255 - wanted).abs() <= tolerance + 0.5).all(0, keepdim=True).float()


def dilate(mask: Tensor, pixels: int) -> Tensor:
    """A mask (..., 1, H, W) whose holes reach ``pixels`` further on all sides, by squares."""
    for axis in (0, 1):
        kernel, padding = [1, 1], [0, 0]
        kernel[axis], padding[axis] = 2 * pixels + 1, pixels
        mask = F.max_pool2d(mask, kernel, stride=1, padding=padding) if pixels else mask
    return mask
