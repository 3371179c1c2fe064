"""What every source of images offers to the datasets made from it."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from restore.core.errors import DataError


class ImageSource(Protocol):
    """Whole images, decoded, as 8-bit RGB."""

    in_memory: bool
    """Whether all of them are or will be kept in memory, so that processes that load data would not help."""

    def __len__(self) -> int:
        """How many images there are."""
        ...

    def __getitem__(self, index: int) -> Tensor:
        """One image, (3, H, W) uint8. It may be shared: do not write into it."""
        ...

    def size(self, index: int) -> tuple[int, int]:
        """Height and width, without decoding."""
        ...

    def gray(self, index: int) -> bool:
        """Whether the image came without colors, and its three channels are copies of one; may decode it."""
        ...

    def name(self, index: int) -> str:
        """What to call it in reports and errors; a file's whole path."""
        ...


def refuse_smaller(source: ImageSource, least: int, need: str, advice: str) -> None:
    """Raise a DataError that names the images (up to three) with a side of fewer than ``least`` pixels.

    Args:
        source: The images.
        least: Smallest accepted side in pixels.
        need: What the size is needed for, such as ``a training crop``.
        advice: What the user should do.
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
