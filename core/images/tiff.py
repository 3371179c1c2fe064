"""TIFF files with more than 8 bits per channel or separate planes, and what any TIFF file says about its channels.

Pillow decodes 16-bit color to 8 bits, and some planes wrongly. tifffile decodes them, but without the optional
package imagecodecs it knows few compressions and no packed bits. libtiff, inside Pillow, knows the compressions: it is
given the same file described as bytes. Tags: TIFF 6.0 and its Supplement 1. Imports no torch.
"""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restore.core.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from tifffile import TiffPage

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _PALETTE = 0, 1, 3  # PhotometricInterpretation
_COLORS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, 2: 3, _PALETTE: 1, 4: 1, 5: 4, 6: 3, 8: 3}
_NOT_AN_IMAGE = 1 | 4  # bits of NewSubfileType: a reduced copy, a mask
_KINDS = {1: "unsigned", 2: "signed", 3: "floating-point", 4: "untyped", 5: "complex", 6: "complex"}  # SampleFormat
_PREMULTIPLIED, _ALPHA = 1, 2  # ExtraSamples
_SEPARATE = 2  # PlanarConfiguration


@dataclass(frozen=True)
class TiffLayout:
    """The channels of one page of a TIFF file."""

    channels: int
    bits: int
    """Bits per channel."""
    kind: str
    """Unsigned, signed, floating-point, untyped or complex."""
    photometric: int
    extra: tuple[int, ...]
    """What the channels beyond the colors mean."""
    separate: bool = False
    """Whether each channel is stored as a plane of its own."""

    @property
    def wrong_in_pillow(self) -> bool:
        """Whether Pillow would lose bits or mix up planes, although `read_levels` can read the page."""
        deep = 8 < self.bits <= 16 or (self.bits == 8 and self.separate)
        return deep and self.kind in ("unsigned", "untyped") and self.photometric < _PALETTE

    @property
    def colors(self) -> int:
        """Number of color channels; 0: unknown."""
        return _COLORS.get(self.photometric, 0)

    @property
    def alpha(self) -> int | None:
        """Index of the alpha channel; a fourth channel of RGB without a meaning is one, as every program has it."""
        for place, meaning in enumerate(self.extra):
            if meaning in (_PREMULTIPLIED, _ALPHA):
                return self.colors + place
        return self.colors if not self.extra and self.channels == self.colors + 1 else None


def is_tiff(path: Path) -> bool:
    """Return whether a file starts as TIFF files do."""
    with path.open("rb") as file:
        return file.read(4) in _MAGIC


def frames(path: Path) -> list[int]:
    """Return the indices of the pages that are images; reduced copies and masks of others are not."""
    try:
        with _open(path) as file:
            pages = map(_load_page, file.pages)
            usual = [index for index, page in enumerate(pages) if not int(page.subfiletype) & _NOT_AN_IMAGE]
    except Exception:  # noqa: BLE001 - tifffile raises anything; Pillow may know better
        return [0]
    return usual or [0]


def layout(path: Path, page: int = 0) -> TiffLayout:
    """Return the layout of a page."""
    with _open(path) as file:
        return _layout(_load_page(file.pages[page]))


def is_cut_off(path: Path) -> bool:
    """Return whether pixels of the first page lie behind the end of the file."""
    with _open(path) as file:
        found = _load_page(file.pages[0])
        last = max(
            (start + count for start, count in zip(found.dataoffsets, found.databytecounts, strict=True)), default=0
        )
    return bool(last > path.stat().st_size)


def size(path: Path, page: int = 0) -> tuple[int, int]:
    """Return width and height as stored."""
    with _open(path) as file:
        found = _load_page(file.pages[page])
        return int(found.imagewidth), int(found.imagelength)


def read_levels(path: Path, page: int = 0) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return levels (H, W, C) of a gray or RGB page with 8 to 16 bits per channel; C is 1 to 4 as in `decoding`.

    10, 12 and 14 bits that are stored as such are scaled to 16. Raises DataError for what has no clear levels.
    """
    import numpy as np

    with _open(path) as file:
        found = _load_page(file.pages[page])
        described = _layout(found)
        refuse_unclear(path, described)
        values = _values(found)
    values = values[..., [*range(described.colors), *([] if described.alpha is None else [described.alpha])]]
    white, highest = 255 if described.bits == 8 else 65535, 2**described.bits - 1
    levels: Any = np.ascontiguousarray(values, np.uint8 if described.bits == 8 else np.uint16)
    if highest < white:
        levels = ((levels.astype(np.uint32) * white + highest // 2) // highest).astype(levels.dtype)
    if described.photometric == _WHITE_IS_ZERO:
        levels[..., 0] = white - levels[..., 0]
    if described.alpha is not None and _PREMULTIPLIED in described.extra:
        alpha = np.maximum(levels[..., -1:].astype(np.uint32), 1)
        colors = (levels[..., :-1].astype(np.uint32) * white + alpha // 2) // alpha
        levels[..., :-1] = np.minimum(colors, white)
    found_levels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16] = levels
    return found_levels


def read_numbers(path: Path, page: int = 0) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8] | None] | None:
    """Return the stored values (H, W) of a page with one channel of more than 8 unsigned bits; None for other pages.

    They are class numbers, which have no black and no white. The second is the palette (N, 3), if the page has one.
    Raises DataError for negative numbers.
    """
    import numpy as np

    with _open(path) as file:
        found = _load_page(file.pages[page])
        described = _layout(found)
        kinds = ("unsigned", "signed", "floating-point")
        if described.channels != 1 or described.kind not in kinds:
            return None
        if described.bits <= 8 and described.kind == "unsigned":
            return None
        values = _values(found)[..., 0]
        colors = found.colormap if described.photometric == _PALETTE else None
    if values.size and int(values.min()) < 0:
        raise DataError(f"{path}: has negative values ({values.min()} to {values.max()}), which are no class numbers")
    return values, None if colors is None else (colors.T >> 8).astype(np.uint8)


def refuse_unclear(path: Path, described: TiffLayout) -> None:
    """Raise DataError for a page whose levels or channels have no clear meaning."""
    if described.photometric == _PALETTE:
        return
    sort = f"{described.kind} {described.bits}-bit"
    if described.kind not in ("unsigned", "untyped"):
        raise DataError(
            f"{path}: has {sort} values, so black and white are unknown; convert it to unsigned 8 or 16 bit"
        )
    if described.bits > 16:
        raise DataError(f"{path}: has {sort} values, so white is unknown; convert it to unsigned 8 or 16 bit")
    if not described.colors or described.channels < described.colors:
        raise DataError(
            f"{path}: has {described.channels} channels of a kind that is not supported (TIFF photometric "
            f"{described.photometric}); convert it to gray or RGB"
        )
    if described.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and described.channels > 2 and not described.alpha:
        raise DataError(
            f"{path}: has {described.channels} channels that are not colors; convert it to gray, or to RGB of three"
        )


def _layout(page: TiffPage) -> TiffLayout:
    bits: Any = page.bitspersample  # a tuple if the channels differ
    return TiffLayout(
        channels=int(page.samplesperpixel),
        bits=max(bits) if isinstance(bits, tuple) else int(bits),
        kind=_KINDS.get(int(page.sampleformat or 1), "untyped"),
        photometric=int(page.photometric),
        extra=tuple(int(meaning) for meaning in page.extrasamples or ()),
        separate=page.planarconfig == _SEPARATE and page.samplesperpixel > 1,
    )


def _load_page(page: Any) -> TiffPage:
    """Return a page as such; tifffile represents some of them by frames."""
    whole: TiffPage = page if hasattr(page, "photometric") else page.aspage()
    return whole


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    import tifffile

    log = logging.getLogger("tifffile")
    before, log.disabled = log.disabled, True  # odd tags do not matter if the image decodes
    try:
        with tifffile.TiffFile(path) as file:
            yield file
    finally:
        log.disabled = before


def _values(page: TiffPage) -> npt.NDArray[Any]:
    """Return the stored values (H, W, C) of a page."""
    from tifffile import COMPRESSION

    size, stored = page.imagewidth * page.imagelength * page.samplesperpixel, sum(page.databytecounts)
    if page.compression == COMPRESSION.NONE and stored * 8 < size * (page.bitspersample or 1):
        raise ValueError(f"has {stored} bytes of pixels, fewer than its size needs")
    try:
        values = page.asarray()
    except (ValueError, NotImplementedError, ImportError) as error:  # without imagecodecs
        if "imagecodecs" not in str(error) and isinstance(error, ValueError):
            raise
        return _through_libtiff(page)
    shape = (page.samplesperpixel, page.imagelength, page.imagewidth)
    if page.planarconfig == _SEPARATE and page.samplesperpixel > 1:
        return values.reshape(shape).transpose(1, 2, 0)
    return values.reshape(*shape[1:], shape[0])


def _through_libtiff(page: TiffPage) -> npt.NDArray[Any]:
    """Return the stored values (H, W, C), decompressed by libtiff: the page is described to it as gray bytes."""
    import numpy as np

    separate = page.planarconfig == _SEPARATE and page.samplesperpixel > 1
    planes, channels = (page.samplesperpixel, 1) if separate else (1, page.samplesperpixel)
    across = page.tilewidth if page.is_tiled else page.imagewidth
    tiles = -(-page.imagewidth // across)
    width = -(-across * channels * page.bitspersample // 8)  # bytes of a row of a tile or strip
    offsets, counts = page.dataoffsets, page.databytecounts
    share = len(offsets) // planes
    found = []
    for plane in range(planes):
        part = slice(plane * share, (plane + 1) * share)
        rows = _decompress(page, width, tiles, offsets[part], counts[part])
        values = _as_values(page, rows.reshape(page.imagelength, tiles, width), across * channels)
        values = values.reshape(page.imagelength, tiles, across, channels)
        if page.predictor == 2:  # horizontal differences, inside each tile
            values = np.cumsum(values, axis=2, dtype=values.dtype)
        elif page.predictor not in (None, 0, 1):
            raise ValueError(f"the predictor {page.predictor} of its compression is not supported")
        found.append(values.reshape(page.imagelength, tiles * across, channels)[:, : page.imagewidth])
    return np.concatenate(found, axis=-1)


def _as_values(page: TiffPage, rows: npt.NDArray[np.uint8], count: int) -> npt.NDArray[Any]:
    """Return ``count`` values from each row of bytes (…, width)."""
    import numpy as np

    bits = page.bitspersample
    if bits in (8, 16, 32, 64):
        kind = {1: "u", 2: "i"}.get(int(page.sampleformat or 1))
        if kind is None:
            raise ValueError("floating-point values of this compression are not supported")
        order = page.parent.byteorder
        stored = rows.view(np.dtype(f"{order}{kind}{bits // 8}"))
        return stored.astype(stored.dtype.newbyteorder("="))
    single = np.unpackbits(rows, axis=-1)[..., : count * bits].reshape(*rows.shape[:-1], count, bits)
    powers = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    values: npt.NDArray[Any] = (single * powers).sum(-1, dtype=np.uint16)
    return values


def _decompress(
    page: TiffPage, width: int, tiles: int, offsets: tuple[int, ...], counts: tuple[int, ...]
) -> npt.NDArray[np.uint8]:
    """Return the bytes (H, tiles * width) of one plane."""
    import numpy as np
    from PIL import Image

    handle = page.parent.filehandle
    segments = []
    for offset, count in zip(offsets, counts, strict=True):
        handle.seek(offset)
        segments.append(handle.read(count))
    tags: list[tuple[int, list[int]]] = [
        (256, [tiles * width]), (257, [page.imagelength]), (258, [8]), (259, [int(page.compression)]), (262, [1]),
        (266, [int(page.fillorder)]), (277, [1]),
    ]  # fmt: skip
    if page.is_tiled:
        tags += [(322, [width]), (323, [page.tilelength]), (324, []), (325, list(map(len, segments)))]
    else:
        tags += [(273, []), (278, [min(page.rowsperstrip, page.imagelength)]), (279, list(map(len, segments)))]
    segments[-1] += bytes(sum(map(len, segments)) % 2)  # the directory begins at an even place
    # 8 bytes of header, the pixels, the directory, and the lists that do not fit into it
    places = np.cumsum([8, *map(len, segments)]).tolist()
    start = places.pop()
    lists, behind = b"", start + 2 + 12 * len(tags) + 4
    entries = b""
    for tag, values in sorted(tags):
        numbers = values or places
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(numbers) > 1:
            entries += struct.pack("<HHII", tag, 4, len(numbers), behind + len(lists))
            lists += packed
        else:
            entries += struct.pack("<HHI", tag, 4, 1) + packed
    directory = struct.pack("<H", len(tags)) + entries + bytes(4) + lists
    content = struct.pack("<2sHI", b"II", 42, start) + b"".join(segments) + directory
    with Image.open(io.BytesIO(content), formats=["TIFF"]) as image:
        return np.asarray(image)
