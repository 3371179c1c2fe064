"""JPEG and WebP."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Format = Literal["JPEG", "WEBP"]

LARGEST_BLOCK = 16
"""Side in pixels of what JPEG with halved chroma, and WebP, compress as one block."""


def compress(image: Tensor, quality: int, to: Format = "JPEG") -> Tensor:
    """Return an image (3, H, W) uint8 as a lossy file shows it, with halved chroma (4:2:0).

    Args:
        image: the image.
        quality: quality from 1 to 100.
        to: the kind of file.
    """
    file = io.BytesIO()
    pixels = Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))
    if to == "JPEG":
        pixels.save(file, to, quality=quality, subsampling=2)
    else:
        pixels.save(file, to, quality=quality, method=0)  # the fastest: artifacts are of the same kind
    with Image.open(file) as opened:
        return torch.from_numpy(np.array(opened.convert("RGB"))).permute(2, 0, 1).contiguous()
