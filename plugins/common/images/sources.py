"""The interface of image sources, from which datasets are made."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from restore.core.errors import DataError


class ImageSource(Protocol):
    """Whole images, decoded, as 8-bit RGB."""

    in_memory: bool
    """Whether all images are or will be kept in memory, so that worker processes would not help."""

    def __len__(self) -> int:
        """Return the number of images."""
        ...

    def __getitem__(self, index: int) -> Tensor:
        """Return an image (3, H, W) uint8. It may be shared: do not write to it."""
        ...

    def size(self, index: int) -> tuple[int, int]:
        """Return height and width, without decoding."""
        ...

    def gray(self, index: int) -> bool:
        """Return whether the image is gray and its three channels are copies; may decode it."""
        ...

    def name(self, index: int) -> str:
        """Return the name of an image for reports and errors; for files the path."""
        ...


def refuse_smaller(source: ImageSource, least: int, need: str, advice: str) -> None:
    """Raise a DataError that names up to three images with a side shorter than ``least`` pixels.

    Args:
        source: the images.
        least: smallest accepted side in pixels.
        need: what needs this size, such as ``a training crop``.
        advice: what the user should do.
    """
    small = [index for index in range(len(source)) if min(source.size(index)) < least]
    if not small:
        return
    named = [f"{source.name(index)} ({_described(source.size(index))})" for index in small[:3]]
    more = f" and {len(small) - 3} more" if len(small) > 3 else ""
    raise DataError(f"too small for {need}, needs {least}x{least} pixels: {', '.join(named)}{more}; {advice}")


def _described(size: tuple[int, int]) -> str:
    height, width = size
    return f"{width}x{height}"
