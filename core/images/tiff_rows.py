"""Write TIFF files of 8 or 16 bits per channel, strip by strip, with tifffile; above 4 GB as BigTIFF."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tifffile import TiffWriter

from restore.core.images.metadata import fitting_profile
from restore.core.images.row_format import Levels, RowFormat, Strips

_STRIP = 2**18  # bytes of a strip before compression
_LEVEL = 6
_LARGEST = 2**32 - 2**25  # a TIFF file addresses 4 GB; the rest is for tags and metadata


def encode_tiff(path: Path, form: RowFormat, strips: Strips) -> None:
    """Write rows to a TIFF file, compressed without loss (deflate with horizontal differences).

    Of the metadata it takes over the color profile, the resolution and the XMP packet.
    """
    step = max(1, _STRIP // form.row_bytes)
    options: dict[str, Any] = {}
    about = form.metadata
    if about.resolution is not None:
        options = {"resolution": tuple(each / 100 for each in about.resolution), "resolutionunit": "CENTIMETER"}
    if about.xmp is not None:
        options["extratags"] = [(700, 1, len(about.xmp), about.xmp, True)]
    # Pixels may grow a little where they cannot be compressed.
    with TiffWriter(path, bigtiff=form.height * form.row_bytes * 1.01 > _LARGEST) as file:
        file.write(
            (_compress(rows) for rows in _regroup(strips, step)),
            shape=(form.height, form.width, form.channels) if form.channels > 1 else (form.height, form.width),
            dtype=np.uint8 if form.bits == 8 else np.uint16,
            photometric="rgb" if form.channels >= 3 else "minisblack",
            planarconfig="contig" if form.channels > 1 else None,
            extrasamples=["unassalpha"] if form.channels in (2, 4) else None,
            compression="adobe_deflate",
            predictor=True,
            rowsperstrip=step,
            iccprofile=fitting_profile(about.icc, form.channels),
            metadata=None,
            software=False,
            **options,
        )


def _regroup(strips: Strips, step: int) -> Iterator[Levels]:
    """Yield the rows again, ``step`` at a time; fewer only at the end."""
    rest: Levels | None = None
    for strip in strips:
        rows = strip if rest is None else np.concatenate([rest, strip])
        whole = len(rows) // step * step
        for start in range(0, whole, step):
            yield rows[start : start + step]
        rest = rows[whole:] if whole < len(rows) else None
    if rest is not None:
        yield rest


def _compress(rows: Levels) -> bytes:
    """Compress rows (h, W, C) as differences of neighboring pixels (TIFF 6.0, section 14), little-endian."""
    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]
    return zlib.compress(np.ascontiguousarray(differences, dtype=rows.dtype.newbyteorder("<")).tobytes(), _LEVEL)
