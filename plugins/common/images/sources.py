"""The interface of image sources, from which datasets are made."""

from __future__ import annotations

from typing import Any, Protocol

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


class _Adapted:
    """A sequence of images that lacks what an `ImageSource` says about its images."""

    def __init__(self, images: Any) -> None:
        self._images = images
        self.in_memory = bool(getattr(images, "in_memory", False))

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Tensor:
        image: Tensor = self._images[index]
        return image

    def size(self, index: int) -> tuple[int, int]:
        known = getattr(self._images, "size", None)
        height, width = known(index) if callable(known) else self[index].shape[-2:]
        return int(height), int(width)

    def gray(self, index: int) -> bool:
        known = getattr(self._images, "gray", None)
        return bool(known(index)) if callable(known) else False

    def name(self, index: int) -> str:
        known = getattr(self._images, "name", None)
        return str(known(index)) if callable(known) else str(index)


def as_source(images: Any) -> ImageSource:
    """Return a dataset of the role ``images`` as an `ImageSource`; what it does not say is found by decoding."""
    whole = all(hasattr(images, name) for name in ("in_memory", "size", "gray", "name"))
    source: ImageSource = images if whole else _Adapted(images)
    return source


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
    named = [f"{source.name(index)} ({_format_size(source.size(index))})" for index in small[:3]]
    more = f" and {len(small) - 3} more" if len(small) > 3 else ""
    raise DataError(f"too small for {need}, needs {least}x{least} pixels: {', '.join(named)}{more}; {advice}")


def _format_size(size: tuple[int, int]) -> str:
    height, width = size
    return f"{width}x{height}"
