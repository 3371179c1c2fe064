"""Turn the rows of a result into those of a file that looks like the file of the input."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from restore.core.errors import DataError
from restore.core.images.metadata import JPEG_SEGMENT, Metadata
from restore.core.images.pixels import luma
from restore.core.images.row_format import Levels, RowFormat
from restore.core.images.streaming import Format, StreamedFile
from restore.core.images.transparency import ResizeAlpha, resize_alpha_rows

# A color network returns a gray image as nearly gray. Smaller differences between the channels, on average and at any
# pixel, do not count as color.
_GRAY_MEAN, _GRAY_MOST = 0.02, 0.25


class Original(Protocol):
    """The input, as far as a result takes over something from it."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        ...

    @property
    def gray(self) -> bool:
        """Whether it has no colors."""
        ...

    @property
    def bits(self) -> int:
        """Bits per channel."""
        ...

    @property
    def has_alpha(self) -> bool:
        """Whether it has an alpha channel."""
        ...

    def alpha_rows(self, first: int, last: int) -> Tensor:
        """Return rows (1, last - first, W) of the alpha channel in [0, 1]."""
        ...

    @property
    def metadata(self) -> Metadata:
        """What else its file says."""
        ...


class ImageWriter:
    """An image file that is written row by row and discarded unless `close` is called.

    The result of a gray image becomes gray if it is nearly so everywhere, which is known at its end only: until then
    there are two files, and one of them is discarded.

    Args:
        path: the file to write.
        size: height and width of the result.
        like: the input; the file gets its bit depth, metadata and alpha channel (resized). None: 8 bits.
        kind: format of the file. JPEG files get 8 bits and no alpha.
        quality: quality of a JPEG file, 1 to 100.
        resize_alpha: resizes the alpha channel of the input.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        like: Original | None = None,
        *,
        alpha: bool = True,
        depth: bool = True,
        profile: bool = True,
        kind: Format = "png",
        quality: int = 95,
        resize_alpha: ResizeAlpha = resize_alpha_rows,
    ) -> None:
        self.path = path
        self._size, self._like, self._kind, self._quality = size, like, kind, quality
        self._alpha = alpha and like is not None and like.has_alpha and kind != "jpeg"
        self._bits = like.bits if like is not None and depth and kind != "jpeg" else 8
        self._profile, self._resize_alpha = profile, resize_alpha
        self._file: StreamedFile | None = None
        self._gray: StreamedFile | None = None
        self._row = 0
        self._spread = 0.0  # sum of the differences between channels
        self._started = False

    def write(self, rows: Tensor) -> None:
        """Append rows (C, h, W) in [0, 1]; C is 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA).

        Raises DataError if they contain NaN or infinite values, RestoreError if the file cannot be written.
        """
        if not torch.isfinite(rows).all():
            raise DataError(f"{self.path}: not written: the image contains NaN or infinite values")
        rows = rows.detach().float().cpu().clamp(0, 1)
        if self._kind == "jpeg" and len(rows) in (2, 4):
            rows = rows[:-1]
        if not self._started:
            self._start(len(rows))
        if self._gray is not None:
            spread = rows.amax(0) - rows.amin(0)
            self._spread += float(spread.sum(dtype=torch.float64))
            if float(spread.max()) > _GRAY_MOST:
                self._gray.discard()
                self._gray = None
        alpha = self._alpha_of(rows)
        if self._gray is not None:
            self._gray.write(self._levels(luma(rows), alpha))
        if self._file is not None:
            self._file.write(self._levels(rows, alpha))
        self._row += rows.shape[1]

    def close(self) -> None:
        """Finish the file and give it its name."""
        height, width = self._size
        kept, other = self._file, self._gray
        if self._gray is not None and self._spread / (height * width) <= _GRAY_MEAN:
            kept, other = other, kept
        if other is not None:
            other.discard()
        if kept is not None:
            kept.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for file in (self._file, self._gray):
            if file is not None:
                file.discard()

    def _start(self, channels: int) -> None:
        self._started = True
        like = self._like
        own = channels in (2, 4)
        self._alpha = self._alpha and not own and (channels == 3 or (like is not None and like.gray))
        if like is not None and like.gray and channels == 3:
            self._gray = self._open_file(1 + self._alpha)
        self._file = self._open_file(channels + self._alpha)

    def _open_file(self, channels: int) -> StreamedFile:
        height, width = self._size
        metadata = self._like.metadata if self._like is not None else Metadata()
        if not self._profile:
            metadata = metadata.without_colors()
        form = RowFormat(height, width, channels, self._bits, metadata, self._quality)
        return StreamedFile(self.path, form, self._kind)

    def _alpha_of(self, rows: Tensor) -> Tensor | None:
        if not self._alpha or self._like is None:
            return None
        return self._resize_alpha(
            self._like.alpha_rows, self._like.size, self._size, self._row, self._row + rows.shape[1]
        )

    def _levels(self, rows: Tensor, alpha: Tensor | None) -> Levels:
        if alpha is not None:
            rows = torch.cat([rows, alpha])
        white = 2**self._bits - 1
        levels: npt.NDArray[np.float32] = (rows * white + 0.5).floor_().permute(1, 2, 0).numpy()
        return levels.astype(np.uint8) if self._bits == 8 else levels.astype(np.uint16)


def find_losses(kind: Format, like: Original) -> list[str]:
    """Return what a file of some format cannot take over from its input."""
    about, lost = like.metadata, []
    if kind == "jpeg":
        lost = ["alpha"] * like.has_alpha + ["16 bits"] * (like.bits == 16)
        lost += ["XMP data"] * (len(about.xmp or b"") > JPEG_SEGMENT)
    if about.exif is not None and (kind == "tiff" or (kind == "jpeg" and len(about.exif) > JPEG_SEGMENT)):
        lost.append("EXIF data")
    if kind != "png":
        lost += ["text"] * bool(about.text) + ["gamma and primaries"] * bool(about.color)
    return lost
