"""Masks of holes, and the one meaning that they have everywhere.

A mask is (1, H, W) of zeros and ones: **one is the hole**, what is missing or wanted; zero is known. In files a hole is
white.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from restore.core.errors import UsageError
from restore.core.pictures import list_pictures, read_picture


def read_mask(path: Path) -> Tensor:
    """A mask (1, H, W) from a picture file of any kind: what is nearer to white than to black is the hole.

    Raises UsageError when there is no such file, DataError when it is damaged.
    """
    return (read_picture(path).colour.mean(0, keepdim=True) >= 0.5).float()


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


def seeded_rectangle(height: int, width: int, seed: int) -> Tensor:
    """A mask (1, height, width) with one rectangular hole of a sixteenth to a quarter of the picture, drawn by a seed.

    Raises ValueError for pictures of fewer than four pixels a side.
    """
    if min(height, width) < 4:
        raise ValueError(f"no room for a hole and its surroundings in {width}x{height} pixels")
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(1, height, width)
    places = []
    for length in (height, width):
        side = int(torch.randint(length // 4, length // 2 + 1, (), generator=generator))
        first = int(torch.randint(length - side + 1, (), generator=generator))
        places.append(slice(first, first + side))
    mask[:, places[0], places[1]] = 1
    return mask
