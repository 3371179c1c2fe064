"""Write JPEG files with Pillow, which needs the whole image: it lies in an unnamed file, not in memory."""

from __future__ import annotations

import io
import mmap
import tempfile
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
from PIL import Image

from restore.core.errors import DataError
from restore.core.images.row_format import RowFormat, Strips

_LIMIT = 65_500  # libjpeg (JPEG_MAX_DIMENSION)


def encode_jpeg(path: Path, form: RowFormat, strips: Strips) -> None:
    """Write rows of 8 bits without alpha to a JPEG file. Raises DataError if the image is too large for the format."""
    if max(form.height, form.width) > _LIMIT:
        raise DataError(
            f"a JPEG file has at most {_LIMIT} x {_LIMIT} pixels, not {form.width} x {form.height}; "
            "use --output-format png or tiff"
        )
    mode, stored = ("L", 1) if form.channels == 1 else ("RGBX", 4)  # both are used where they lie, without a copy
    # Beside the result, because the folder for temporary files may lie in memory; without a name, so that nothing is
    # left when the process is killed.
    with tempfile.TemporaryFile(dir=path.parent) as canvas:
        for strip in strips:
            rows = np.zeros((*strip.shape[:2], stored), np.uint8)
            rows[..., : form.channels] = strip
            canvas.write(rows.data)
        canvas.flush()
        if canvas.tell() != form.height * form.width * stored:
            raise ValueError(f"{canvas.tell()} bytes were written")
        with path.open("wb") as file:
            _encode(mmap.mmap(canvas.fileno(), 0, access=mmap.ACCESS_READ), file, mode, form)


def _encode(mapped: mmap.mmap, file: BinaryIO, mode: str, form: RowFormat) -> None:
    image = Image.frombuffer(mode, (form.width, form.height), np.frombuffer(mapped, np.uint8), "raw", mode, 0, 1)
    options = form.metadata.jpeg_options(form.channels, form.height, form.width)
    image.save(cast("IO[bytes]", _Forgetful(file, mapped)), format="JPEG", quality=form.quality, **options)


class _Forgetful(io.RawIOBase):
    """A file to write; while it is written, pages of a mapped file that are no longer needed leave memory.

    It has no ``fileno``, so that Pillow writes one piece after the other.
    """

    def __init__(self, file: BinaryIO, mapped: mmap.mmap) -> None:
        self._file, self._mapped, self._written = file, mapped, 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += len(data)
        if self._written >= 2**20 and hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)
            self._written = 0
        return self._file.write(data)
