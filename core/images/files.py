"""Read and write image files with their alpha, bit depth, color profile and EXIF data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from restore.core.atomic import atomic_write
from restore.core.errors import DataError
from restore.core.images import decoding, metadata, png16
from restore.core.images.opening import opened
from restore.core.images.orientation import upright_size
from restore.core.images.pixels import luma
from restore.core.images.transparency import continued, resized_alpha

# A color network returns a gray image as nearly gray. Smaller differences between the channels, on average and at any
# pixel, do not count as color.
_GRAY_MEAN, _GRAY_MOST = 0.02, 0.25


@dataclass(frozen=True)
class ImageFile:
    """One decoded image, upright, as float tensors."""

    color: Tensor
    """(3, H, W) float32 in [0, 1]; three equal channels for gray. Invisible pixels have the colors around them."""
    alpha: Tensor | None = None
    """(1, H, W) float32 in [0, 1]; None for an opaque image."""
    gray: bool = False
    bits: int = 8
    """Bits per channel in the file: 8 or 16."""
    icc: bytes | None = None
    """Color profile."""
    exif: bytes | None = None
    """EXIF data without the orientation, which is applied to the pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.color.shape[-2], self.color.shape[-1]


@dataclass(frozen=True)
class OutputImage:
    """An image to write that takes over only some properties of the input image, such as a mask."""

    image: Tensor
    """(C, H, W) in [0, 1]."""
    depth: bool = True
    """Whether to write 16 bits per channel if the input has them; otherwise 8."""
    alpha: bool = True
    """Whether to take over the input's alpha channel, unless the image has its own."""
    profile: bool = True
    """Whether to take over the input's color profile."""

    def taken_from(self, like: ImageFile | None) -> ImageFile | None:
        """Return the input without the properties that are not taken over."""
        if like is None:
            return None
        return replace(
            like,
            bits=like.bits if self.depth else 8,
            alpha=like.alpha if self.alpha else None,
            icc=like.icc if self.profile else None,
        )


def read_image(path: Path) -> ImageFile:
    """Read an image file.

    Supports palettes, alpha, gray, 1-bit, CMYK (through its color profile, if any) and EXIF orientation; reads the
    first frame of an animation. Keeps 16 bits per channel of gray images and of non-interlaced PNGs. Other 16-bit color
    files (TIFF) are read with 8 bits per channel.

    Raises:
        UsageError: the file does not exist.
        DataError: the file is unreadable, damaged, not an image, or has more than ``PIXEL_LIMIT`` pixels.
    """
    with opened(path) as image:
        image.load()
        exif = metadata.exif(image)
        orientation = exif.pop(metadata.ORIENTATION, 1) if exif else 1
        levels = decoding.upright(decoding.levels(image, path), orientation)
        icc = image.info.get("icc_profile") or None
        if image.mode in ("CMYK", "LAB"):
            icc = None  # it described inks or another color space; the pixels are RGB now
        kept = metadata.exif_bytes(exif)
    white = np.iinfo(levels.dtype).max
    planes = torch.from_numpy(levels.astype(np.float32) / white).permute(2, 0, 1)
    channels = planes.shape[0]
    alpha = planes[-1:].contiguous() if channels in (2, 4) else None
    color = planes[:3].contiguous() if channels >= 3 else planes[:1].repeat(3, 1, 1)
    if alpha is not None:
        color = continued(color, alpha)
    return ImageFile(color, alpha, channels <= 2, 8 * levels.dtype.itemsize, icc, kept)


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width of an upright image without decoding it. Raises the same errors as `read_image`."""
    with opened(path) as image:
        return upright_size(image, path)


def write_image(path: Path, image: Tensor | OutputImage, like: ImageFile | None = None) -> Path:
    """Write a PNG file atomically and return its path.

    Args:
        path: the file to write.
        image: (C, H, W), clipped to [0, 1]; C is 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA). An `OutputImage`
            selects the properties that are taken over from ``like``.
        like: the input image; the file gets its bit depth, color profile, EXIF data and alpha channel (resized), and
            is gray if both images are gray.

    Raises:
        DataError: the image contains NaN or infinite values.
        RestoreError: the file cannot be written.
    """
    if isinstance(image, OutputImage):
        like = image.taken_from(like)
        image = image.image
    if not torch.isfinite(image).all():
        raise DataError(f"{path}: not written: the image contains NaN or infinite values")
    image = image.detach().float().cpu().clamp(0, 1)
    if like is not None:
        image = _like(image, like)
    channels, height, width = image.shape
    bits = like.bits if like is not None else 8
    white = 2**bits - 1
    levels = (image * white + 0.5).floor_().permute(1, 2, 0).numpy().astype(np.uint8 if bits == 8 else np.uint16)
    icc = metadata.fitting_profile(like.icc, channels) if like is not None else None
    exif = metadata.sized_exif(like.exif, height, width) if like is not None and like.exif is not None else None
    with atomic_write(path) as temporary:
        if bits == 16:
            png16.write(temporary, levels, icc, exif)
        else:
            pil_image = Image.fromarray(levels[..., 0] if channels == 1 else levels)
            pil_image.save(temporary, format="PNG", icc_profile=icc, exif=exif or b"")
    return path


def _like(image: Tensor, like: ImageFile) -> Tensor:
    """Return an image (C, H, W) with the channels of its input: gray again, and with its alpha."""
    if like.gray and image.shape[0] == 3 and _nearly_gray(image):
        image = luma(image)
    if like.alpha is not None and (image.shape[0] == 3 or (like.gray and image.shape[0] == 1)):
        height, width = image.shape[-2:]
        image = torch.cat([image, resized_alpha(like.alpha, height, width)])
    return image


def _nearly_gray(image: Tensor) -> bool:
    spread = image.amax(0) - image.amin(0)
    return bool(spread.mean() <= _GRAY_MEAN and spread.max() <= _GRAY_MOST)
