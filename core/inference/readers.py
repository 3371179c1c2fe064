"""`ImageReader`: an input of any size, of which a method reads windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


class ImageReader(Protocol):
    """An image (C, H, W) that is read window by window, so that it need not lie in memory as floats."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        ...

    def window(self, rows: slice, columns: slice) -> Tensor:
        """Return a window (C, h, w) as float32 on the host; both slices lie within the image and have no step."""
        ...


@dataclass(frozen=True)
class TensorReader:
    """A tensor (C, H, W) as a reader."""

    tensor: Tensor

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        channels, height, width = self.tensor.shape
        return channels, height, width

    def window(self, rows: slice, columns: slice) -> Tensor:
        """Return a window; not a copy if the tensor is float32 on the host."""
        return self.tensor[:, rows, columns].float().cpu()


@dataclass(frozen=True)
class ComputedReader:
    """A reader whose windows are computed when they are read."""

    shape: tuple[int, int, int]
    compute: Callable[[slice, slice], Tensor]
    """Returns the window (C, h, w) at given rows and columns. A pixel must not depend on the window it is in."""

    def window(self, rows: slice, columns: slice) -> Tensor:
        """Return a window."""
        return self.compute(rows, columns)


def as_reader(given: Tensor | ImageReader) -> ImageReader:
    """Return a tensor as a reader, and a reader as it is."""
    return TensorReader(given) if isinstance(given, Tensor) else given


def as_tensor(reader: ImageReader) -> Tensor:
    """Return the whole image of a reader."""
    _, height, width = reader.shape
    return reader.window(slice(0, height), slice(0, width))
