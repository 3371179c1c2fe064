"""Read and write image files with their alpha, bit depth and metadata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from restore.core.images import decoding, tiff
from restore.core.images.metadata import Metadata
from restore.core.images.opening import open_file, translate_errors
from restore.core.images.orientation import get_upright_size, tiff_size
from restore.core.images.pixels import to_uint8
from restore.core.images.row_format import Levels
from restore.core.images.streaming import Format
from restore.core.images.transparency import ResizeAlpha, continue_levels, resize_alpha_rows
from restore.core.images.writer import ImageWriter, Original


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
    metadata: Metadata = field(default_factory=Metadata)
    """Color profile, EXIF data, resolution and text of the file."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.color.shape[-2], self.color.shape[-1]

    @property
    def has_alpha(self) -> bool:
        """Whether it has an alpha channel."""
        return self.alpha is not None

    def alpha_rows(self, first: int, last: int) -> Tensor:
        """Return rows (1, last - first, W) of the alpha channel, which it must have."""
        assert self.alpha is not None
        return self.alpha[:, first:last]

    def crop(self, rows: slice, columns: slice) -> ImageFile:
        """Return a part of the image."""
        alpha = None if self.alpha is None else self.alpha[:, rows, columns]
        return replace(self, color=self.color[:, rows, columns], alpha=alpha)


@dataclass(frozen=True)
class SourceImage:
    """One decoded image, upright, whose pixels stay the integers of the file; floats are made of the parts asked for.

    Colors of fully transparent pixels are continued from visible ones (see `continued`), in the levels themselves.
    """

    levels: Levels
    """(H, W, C), uint8 or uint16; C is 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA). They may lie in a file."""
    about: ImageFile
    """What else is known of the image; its tensors are empty."""
    release: Callable[[], None] = lambda: None
    """Lets pixels that were read leave memory, if they lie in a file."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.levels.shape[0], self.levels.shape[1]

    @property
    def gray(self) -> bool:
        """Whether it has no colors."""
        return bool(self.levels.shape[2] <= 2)

    @property
    def bits(self) -> int:
        """Bits per channel in the file: 8 or 16."""
        return 8 * self.levels.dtype.itemsize

    @property
    def has_alpha(self) -> bool:
        """Whether it has an alpha channel."""
        return self.levels.shape[2] in (2, 4)

    def alpha_rows(self, first: int, last: int) -> Tensor:
        """Return rows (1, last - first, W) of the alpha channel, which it must have."""
        return self._planes(self.levels[first:last, :, -1:])

    @property
    def metadata(self) -> Metadata:
        """Color profile, EXIF data, resolution and text of the file."""
        return self.about.metadata

    def crop(self, rows: slice, columns: slice) -> ImageFile:
        """Return a part as tensors."""
        planes = self._planes(self.levels[rows, columns])
        alpha = planes[-1:] if self.has_alpha else None
        color = planes[:1].repeat(3, 1, 1) if self.gray else planes[:3]
        return replace(self.about, color=color, alpha=alpha)

    def to_uint8(self) -> Tensor:
        """Return the colors (3, H, W) with 8 bits: what `to_uint8` makes of ``whole().color``, without the floats."""
        if self.bits != 8:
            return to_uint8(self.read_whole().color)
        colors = np.moveaxis(self.levels[..., : 1 if self.gray else 3], 2, 0)
        planes = np.array(np.broadcast_to(colors, (3, *self.size)), order="C")
        self.release()
        return torch.from_numpy(planes)

    def read_whole(self) -> ImageFile:
        """Return all of it as tensors."""
        return self.crop(slice(None), slice(None))

    def _planes(self, levels: Levels) -> Tensor:
        """Return levels (h, w, C) as contiguous planes (C, h, w) in [0, 1]."""
        planes = np.empty((levels.shape[2], *levels.shape[:2]), np.float32)
        np.divide(np.moveaxis(levels, 2, 0), np.float32(np.iinfo(levels.dtype).max), out=planes)
        self.release()
        return torch.from_numpy(planes)


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
    smooth: bool = True
    """Whether values may be mixed when the image is resized; False for masks and class numbers."""

    def with_image(self, image: Tensor) -> OutputImage:
        """Return another image that takes over the same."""
        return replace(self, image=image)

    def open_writer(
        self,
        path: Path,
        size: tuple[int, int],
        like: Original | None,
        kind: Format = "png",
        quality: int = 95,
        resize_alpha: ResizeAlpha = resize_alpha_rows,
    ) -> ImageWriter:
        """Open a file for an image of which this is all or a part.

        Args:
            path: the file.
            size: height and width of the whole image.
            like: the input.
            kind: format of the file.
            quality: quality of a JPEG file, 1 to 100.
            resize_alpha: resizes the alpha channel of the input.
        """
        taken = {"alpha": self.alpha, "depth": self.depth, "profile": self.profile}
        return ImageWriter(path, size, like, kind=kind, quality=quality, resize_alpha=resize_alpha, **taken)


def open_image(path: Path, frame: int | None = None) -> SourceImage:
    """Decode an image file without making floats of it.

    Supports palettes, alpha, gray, 1-bit, CMYK (through its color profile, if any) and EXIF orientation. Keeps 16 bits
    per channel of PNG, TIFF and PPM files. A warning is logged for whatever is lost: other frames, channels or bits.

    Args:
        path: the file.
        frame: index of the frame or page to read; None: the first, with a warning if there are more.

    Raises:
        UsageError: the file or the frame does not exist.
        DataError: the file is unreadable, damaged, not an image, has more pixels than `opening.pixel_limit`, or values
            or channels of an unknown meaning.
    """
    decoded = decoding.decode(path, frame)
    levels = decoded.levels
    about = ImageFile(torch.empty(3, 0, 0), None, levels.shape[2] <= 2, 8 * levels.dtype.itemsize, decoded.metadata)
    return SourceImage(continue_levels(levels), about, decoded.release)


def read_image(path: Path, frame: int | None = None) -> ImageFile:
    """Read an image file as tensors. See `open_image` for what it supports, and for arguments and errors."""
    return open_image(path, frame).read_whole()


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width of an upright image without decoding it. Raises the same errors as `read_image`."""
    with translate_errors(path):
        if tiff.is_tiff(path):
            return tiff_size(path)
    with open_file(path) as image:
        return get_upright_size(image, path)


def write_image(path: Path, image: Tensor | OutputImage, like: Original | None = None) -> Path:
    """Write a PNG file atomically and return its path.

    Args:
        path: the file to write.
        image: (C, H, W), clipped to [0, 1]; C is 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA). An `OutputImage`
            selects the properties that are taken over from ``like``.
        like: the input image; the file gets its bit depth, metadata and alpha channel (resized), and is gray if both
            images are gray.

    Raises:
        DataError: the image contains NaN or infinite values.
        RestoreError: the file cannot be written.
    """
    shown = image if isinstance(image, OutputImage) else OutputImage(image)
    _, height, width = shown.image.shape
    with shown.open_writer(path, (height, width), like) as file:
        file.write(shown.image)
        file.close()
    return path
