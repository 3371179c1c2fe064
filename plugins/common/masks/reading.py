"""Masks of holes, and the one meaning that they have everywhere.

A mask is (1, H, W) of zeros and ones: **one is the hole**, what is missing or wanted; zero is known. In files a hole is
white, unless it is said to be black.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.errors import UsageError
from restore.core.pictures.files import read_picture
from restore.core.pictures.listing import list_pictures
from restore.plugins.common.masks.settings import Polarity


def read_mask(path: Path, polarity: Polarity = "white-hole") -> Tensor:
    """A mask (1, H, W) from a picture file of any kind, by what is nearer to white than to black.

    Raises UsageError when there is no such file, DataError when it is damaged.
    """
    white = read_picture(path).colour.mean(0, keepdim=True) >= 0.5
    return (white if polarity == "white-hole" else ~white).float()


def mask_of(picture: Path, masks: Path) -> Path:
    """The mask file of a picture: ``masks`` itself, or the file of the same name (apart from the suffix) in it.

    Raises UsageError when there is none.
    """
    if not masks.is_dir():
        return masks
    for path in list_pictures(masks):
        if path.stem == picture.stem:
            return path
    raise UsageError(f"{picture}: has no mask of the same name in {masks}")


def resized_mask(mask: Tensor, height: int, width: int) -> Tensor:
    """A mask (1, H, W) brought to another size, each pixel being the nearest one: no value between hole and known."""
    if mask.shape[-2:] == (height, width):
        return mask
    rows, columns = (
        (2 * torch.arange(wanted) + 1) * own // (2 * wanted)  # of the source, what is under each pixel's middle
        for own, wanted in zip(mask.shape[-2:], (height, width), strict=True)
    )
    return mask[:, rows][:, :, columns]


def colour_mask(picture: Tensor, colour: tuple[int, int, int], tolerance: int) -> Tensor:
    """A mask (1, H, W) of where a picture (3, H, W) in [0, 1] has a colour, each channel of 255 up to ``tolerance``."""
    wanted = torch.tensor(colour, dtype=picture.dtype)[:, None, None]
    return ((picture * 255 - wanted).abs() <= tolerance + 0.5).all(0, keepdim=True).float()


def grown(mask: Tensor, pixels: int) -> Tensor:
    """A mask (..., 1, H, W) whose holes reach ``pixels`` further on all sides, by squares."""
    for axis in (0, 1):
        kernel, padding = [1, 1], [0, 0]
        kernel[axis], padding[axis] = 2 * pixels + 1, pixels
        mask = F.max_pool2d(mask, kernel, stride=1, padding=padding) if pixels else mask
    return mask
