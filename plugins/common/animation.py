"""Strips and animations of images of one size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from restore.core.atomic import atomic_write
from restore.core.errors import UsageError
from restore.core.images.files import write_image
from restore.core.images.pixels import to_uint8
from restore.plugins.common.images.resize import bilinear

KINDS = (".png", ".gif")
"""Suffixes of the files that `write_animation` writes."""


def check_kind(path: Path, *kinds: str) -> None:
    """Raise UsageError if an --output ends in none of ``kinds``, such as ``.png``; call it before the work starts."""
    if path.suffix.lower() not in kinds:
        raise UsageError(f"--output {path}: not a {' or '.join(kinds)} file")


def write_animation(path: Path, frames: Sequence[Tensor], milliseconds: int = 120) -> None:
    """Write frames (3, H, W) in [0, 1]: a .png is a strip from left to right, a .gif plays forward and backward.

    Raises UsageError for any other suffix.

    Args:
        path: file to write.
        frames: the images.
        milliseconds: time per frame of an animation.
    """
    check_kind(path, *KINDS)
    if path.suffix.lower() == ".png":
        write_image(path, torch.cat(list(frames), dim=2))
        return
    levels = [to_uint8(frame.detach().cpu()) for frame in [*frames, *frames[-2:0:-1]]]
    first, *others = [Image.fromarray(frame.permute(1, 2, 0).numpy()) for frame in levels]
    with atomic_write(path) as temporary:
        first.save(temporary, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0)


def resize_to_cover(image: Tensor, height: int, width: int) -> Tensor:
    """Resize an image (C, H, W) to cover ``height`` x ``width`` pixels and crop its center to this size."""
    cover = max(height / image.shape[-2], width / image.shape[-1])
    around = (max(height, round(image.shape[-2] * cover)), max(width, round(image.shape[-1] * cover)))
    top, left = round((around[0] - height) / 2), round((around[1] - width) / 2)
    return bilinear(image, around)[..., top : top + height, left : left + width]
