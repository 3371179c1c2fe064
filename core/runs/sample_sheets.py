"""Sheets of sample images: arrange them, and write them with the places of their images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor
from torch.nn import functional as F

from restore.core.atomic import atomic_write
from restore.core.images.pixels import to_uint8
from restore.core.runs.sheet_cells import KEY, Box

GAP = 4
"""White pixels between two images of a sheet."""

LARGEST = 320
"""Largest side of an image in a sheet; larger images are center-cropped."""


def make_sheet(rows: Sequence[Sequence[Tensor]]) -> Tensor:
    """Arrange images in rows on a white background; each row has the height of its tallest image.

    Args:
        rows: images (1 or 3, H, W) in [0, 1]; smaller ones are upscaled by repeating pixels, so that an input of low
            resolution looks pixelated.

    Returns:
        One image (3, H, W) in [0, 1].
    """
    strips = [_strip(row) for row in rows]
    width = max(strip.shape[2] for strip in strips)
    padded = [F.pad(strip, (0, width - strip.shape[2], 0, GAP), value=1.0) for strip in strips]
    return torch.cat(padded, dim=1)[:, :-GAP]


def _strip(row: Sequence[Tensor]) -> Tensor:
    images = [image.detach().float().cpu().clamp(0, 1).expand(3, -1, -1) for image in row]
    height = max(image.shape[1] for image in images)
    shown = []
    for image in images:
        factor = height / image.shape[1]
        size = (height, max(1, round(image.shape[2] * factor)))
        grown = image if factor == 1 else F.interpolate(image[None], size=size, mode="nearest")[0]
        top, left = (max(0, (side - LARGEST) // 2) for side in grown.shape[1:])
        shown.append(F.pad(grown[:, top : top + LARGEST, left : left + LARGEST], (0, GAP), value=1.0))
    return torch.cat(shown, dim=2)[:, :, :-GAP]


def locate_cells(rows: Sequence[Sequence[Tensor]]) -> list[list[Box]]:
    """Return where the images of `make_sheet` lie: left, top, right and bottom of each, in pixels."""
    located, top = [], 0
    for row in rows:
        height = max(image.shape[1] for image in row)
        widths = [min(LARGEST, max(1, round(image.shape[2] * height / image.shape[1]))) for image in row]
        bottom = top + min(LARGEST, height)
        lefts = [sum(widths[:index]) + index * GAP for index in range(len(widths))]
        located.append([(left, top, left + width, bottom) for left, width in zip(lefts, widths, strict=True)])
        top = bottom + GAP
    return located


def write_sheet(path: Path, sheet: Tensor, cells: Sequence[Sequence[Box]] = ()) -> None:
    """Write a sheet (3, H, W) in [0, 1] as PNG, atomically; the file tells where its images lie."""
    pixels = to_uint8(sheet).permute(1, 2, 0).contiguous().numpy()
    told = PngInfo()
    told.add_text(KEY, json.dumps(cells))
    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", pnginfo=told)
