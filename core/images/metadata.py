"""Metadata of an image file: color, EXIF data, resolution, text. They go along into the results as PNG chunks.

PNG chunks: W3C, Portable Network Graphics (PNG) Specification, third edition, section 11.3.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from restore.core.images import png_chunks
from restore.core.images.warned import warn_once

ORIENTATION = 0x0112
_FOLDER, _GPS, _WIDTH, _HEIGHT = 0x8769, 0x8825, 0xA002, 0xA003
# A TIFF file stores its EXIF data among the tags that describe its own bytes; only these remain valid in a PNG.
_TIFF_KEPT = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
_XMP, _IPTC, _ICC, _PHOTOSHOP_IPTC = 700, 33723, 34675, 0x0404
_RESOLUTION = (282, 283, 296)  # XResolution, YResolution, ResolutionUnit
_PER_METER = {2: 1 / 0.0254, 3: 100.0}  # ResolutionUnit: inch, centimeter
_WHITE_POINT, _PRIMARIES = 318, 319
_TURN_IN_XMP = re.compile(rb"(tiff:Orientation(?:=[\"']|>))[0-9]")
_XMP_KEYWORD = b"XML:com.adobe.xmp"
JPEG_SEGMENT = 65_000  # bytes of an XMP packet, or of EXIF data, that a JPEG file can hold
_TEXT_LIMIT = 2**23  # bytes of text that are kept


@dataclass(frozen=True)
class Metadata:
    """What an image file says besides its pixels."""

    icc: bytes | None = None
    """Color profile."""
    exif: bytes | None = None
    """EXIF data without the orientation, which is applied to the pixels."""
    xmp: bytes | None = None
    """XMP packet, with the orientation set to upright."""
    resolution: tuple[int, int] | None = None
    """Pixels per meter, horizontally and vertically."""
    color: tuple[tuple[bytes, bytes], ...] = ()
    """PNG chunks (name and content) that tell how to show the colors, such as gAMA."""
    text: tuple[tuple[bytes, bytes], ...] = ()
    """PNG chunks (name and content) with text, such as comments, and with IPTC data."""

    def without_colors(self) -> Metadata:
        """Return a copy that does not tell how to show the colors."""
        return replace(self, icc=None, color=())

    def swap_resolution(self) -> Metadata:
        """Return a copy for an image whose rows have become columns."""
        return self if self.resolution is None else replace(self, resolution=(self.resolution[1], self.resolution[0]))

    def chunks(self, channels: int, height: int, width: int) -> list[tuple[bytes, bytes]]:
        """Return everything as PNG chunks (name and content) to write before the pixels.

        Args:
            channels: channels of the result, 1 to 4; a profile of other channels is left out.
            height: height of the result in pixels, which EXIF data may contain.
            width: its width.
        """
        chunks = []
        if (icc := fitting_profile(self.icc, channels)) is not None:
            chunks.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc)))
        chunks += self.color
        if self.resolution is not None:
            chunks.append((b"pHYs", struct.pack(">IIB", *self.resolution, 1)))
        if self.exif is not None:
            chunks.append((b"eXIf", set_exif_size(self.exif, height, width).removeprefix(b"Exif\0\0")))
        if self.xmp is not None:
            chunks.append((b"iTXt", _XMP_KEYWORD + bytes(5) + self.xmp))
        return [*chunks, *self.text]

    def jpeg_options(self, channels: int, height: int, width: int) -> dict[str, Any]:
        """Return profile, EXIF data, XMP packet and resolution as options of Pillow's ``save`` for JPEG files."""
        options: dict[str, Any] = {}
        if (icc := fitting_profile(self.icc, channels)) is not None:
            options["icc_profile"] = icc
        if self.exif is not None and len(self.exif) <= JPEG_SEGMENT:
            options["exif"] = set_exif_size(self.exif, height, width)
        if self.xmp is not None and len(self.xmp) <= JPEG_SEGMENT:
            options["xmp"] = self.xmp
        if self.resolution is not None:
            options["dpi"] = tuple(round(each * 0.0254) for each in self.resolution)
        return options


def of_image(image: Image.Image, path: Path) -> tuple[object, Metadata]:
    """Return the orientation and the metadata of a decoded image."""
    exif = _exif(image)
    orientation = exif.pop(ORIENTATION, 1) if exif else 1
    info = image.info
    xmp = info.get("xmp")
    found = Metadata(
        icc=_profile(info.get("icc_profile")),
        exif=exif_bytes(exif, path),
        xmp=_orient_xmp(xmp) if isinstance(xmp, bytes) else None,
        resolution=_from_dpi(info.get("dpi")),
    )
    if image.format == "PNG":
        color, text = _png_chunks(path)
        return orientation, replace(found, color=color, text=text)
    if image.format == "TIFF":
        return orientation, _add_tags(found, image.tag_v2)  # type: ignore[attr-defined]  # TIFF only
    return orientation, replace(found, text=tuple(_comments(info)))


def of_tiff(path: Path, page: int) -> tuple[object, Metadata]:
    """Return the orientation and the metadata of a page of a TIFF file that Pillow may not be able to open."""
    from restore.core.images.opening import open_file

    tags: Mapping[int, Any]
    try:
        with open_file(path, page) as image:
            exif, tags = _exif(image), dict(image.tag_v2)  # type: ignore[attr-defined]  # TIFF only
    except Exception:  # noqa: BLE001 - channels that Pillow does not know
        stored = Image.Exif()
        try:
            with path.open("rb") as file:
                stored.load_from_fp(file)  # the first directory alone
                exif, tags = _filter_tiff_tags(stored), dict(stored)
        except Exception:  # noqa: BLE001 - the image is usable without them
            return 1, Metadata()
    orientation = exif.pop(ORIENTATION, 1) if exif else 1
    xmp, icc = tags.get(_XMP), tags.get(_ICC)
    found = Metadata(
        icc=_profile(icc), exif=exif_bytes(exif, path), xmp=_orient_xmp(xmp) if isinstance(xmp, bytes) else None
    )
    return orientation, _add_tags(found, tags)


def orientation(image: Image.Image) -> object:
    """Return the EXIF orientation, 1 to 8, as known so far; does not decode a PNG to find one after its pixels."""
    try:
        return Image.Image.getexif(image).get(ORIENTATION, 1)  # Pillow's PNG class would decode the image
    except Exception:  # noqa: BLE001 - damaged EXIF data raise anything, and turn nothing
        return 1


def exif_bytes(exif: Image.Exif | None, path: Path) -> bytes | None:
    """Return EXIF data as bytes; None if there are none. Tags that cannot be written again are left out."""
    if not exif:
        return None
    try:
        return exif.tobytes()
    except Exception:  # noqa: BLE001 - a tag of a wrong type raises anything
        kept = Image.Exif()
        for tag, value in exif.items():
            single = Image.Exif()
            single[tag] = exif.get_ifd(tag) if tag in (_FOLDER, _GPS) else value
            try:
                single.tobytes()
            except Exception:  # noqa: BLE001
                warn_once(path, f"the EXIF tag {tag} is malformed and left out")
            else:
                kept[tag] = single[tag]
        return kept.tobytes() if kept else None


def set_exif_size(data: bytes, height: int, width: int) -> bytes:
    """Replace the image size in EXIF data, wherever they contain one."""
    exif = Image.Exif()
    exif.load(data)
    folder = exif.get_ifd(_FOLDER)
    if _WIDTH not in folder and _HEIGHT not in folder:
        return data
    folder.update({_WIDTH: width, _HEIGHT: height})
    try:
        return exif.tobytes()
    except Exception:  # noqa: BLE001 - the data are written as they are, with the size of the input
        return data


def fitting_profile(icc: bytes | None, channels: int) -> bytes | None:
    """Return a color profile if it fits the number of channels; bytes 16 to 20 name its space (ICC.1:2022, 7.2)."""
    space = b"GRAY" if channels <= 2 else b"RGB "
    return icc if icc is not None and icc[16:20] == space else None


def _profile(icc: object) -> bytes | None:
    return icc if isinstance(icc, bytes) and icc else None


def _exif(image: Image.Image) -> Image.Exif | None:
    """Return the EXIF data of an image, without the tags that describe the bytes of a TIFF file."""
    try:
        data = image.getexif()
        return data if image.format != "TIFF" else _filter_tiff_tags(data)
    except Exception:  # noqa: BLE001 - damaged EXIF data raise anything; the image is usable without them
        return None


def _filter_tiff_tags(data: Image.Exif) -> Image.Exif:
    kept = Image.Exif()
    kept.update({tag: data[tag] for tag in (*_TIFF_KEPT, ORIENTATION) if tag in data})
    kept.update({tag: dict(data.get_ifd(tag)) for tag in (_FOLDER, _GPS) if tag in data})
    return kept


def _orient_xmp(xmp: bytes) -> bytes | None:
    """Return an XMP packet that does not turn the upright image once more; None if it is no text."""
    xmp = _TURN_IN_XMP.sub(rb"\g<1>1", xmp.rstrip(b"\0"))
    try:
        xmp.decode()
    except UnicodeDecodeError:
        return None
    return xmp or None


def _from_dpi(dpi: object) -> tuple[int, int] | None:
    """Return pixels per meter of pixels per inch; None if they are unknown or absurd."""
    try:
        across, down = (round(float(each) / 0.0254) for each in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return (across, down) if 0 < across < 2**31 and 0 < down < 2**31 else None


def _add_tags(found: Metadata, tags: Mapping[int, Any]) -> Metadata:
    """Add what TIFF tags say about resolution, colors and IPTC data."""
    horizontal, vertical, unit = (tags.get(tag) for tag in _RESOLUTION)
    factor = _PER_METER.get(unit if isinstance(unit, int) else 2)
    if factor is not None and horizontal is not None:
        try:
            dpi = tuple(float(each) * factor * 0.0254 for each in (horizontal, vertical or horizontal))
        except (TypeError, ValueError, ZeroDivisionError):
            dpi = ()
        found = replace(found, resolution=_from_dpi(dpi))
    white, primaries = tags.get(_WHITE_POINT), tags.get(_PRIMARIES)
    if white is not None and primaries is not None and found.icc is None:
        try:
            numbers = [round(100_000 * float(each)) for each in (*white, *primaries)]
            found = replace(found, color=((b"cHRM", struct.pack(">8I", *numbers)),))
        except (TypeError, ValueError, OverflowError, ZeroDivisionError, struct.error):
            pass  # malformed
    iptc = tags.get(_IPTC)
    if isinstance(iptc, bytes) and iptc:
        found = replace(found, text=(_iptc_chunk(iptc),))
    return found


def _comments(info: Mapping[Any, Any]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the comment and the IPTC data of a JPEG, GIF or WebP file as PNG chunks."""
    comment = info.get("comment")
    if isinstance(comment, bytes):
        comment = comment.decode("utf-8", "replace")
    if isinstance(comment, str) and (comment := comment.strip("\0")) and len(comment) <= _TEXT_LIMIT:
        yield b"iTXt", b"Comment" + bytes(5) + comment.encode("utf-8", "replace")
    photoshop = info.get("photoshop")
    iptc = photoshop.get(_PHOTOSHOP_IPTC) if isinstance(photoshop, Mapping) else None
    if isinstance(iptc, bytes) and iptc:
        yield _iptc_chunk(iptc)


def _iptc_chunk(iptc: bytes) -> tuple[bytes, bytes]:
    """Return IPTC data as ImageMagick and ExifTool store them in PNG: as hexadecimal text."""
    digits = iptc.hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    text = f"\niptc\n{len(iptc):8}\n{lines}\n"
    return b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(text.encode())


def _png_chunks(path: Path) -> tuple[tuple[tuple[bytes, bytes], ...], tuple[tuple[bytes, bytes], ...]]:
    """Return the chunks of a PNG file about color and with text, without those that are kept in another form."""
    color = tuple(png_chunks.read_chunks(path, png_chunks.COLOR))
    text, size = [], 0
    for name, body in png_chunks.read_chunks(path, png_chunks.TEXT):
        keyword = body.partition(b"\0")[0]
        if keyword == _XMP_KEYWORD or keyword in (b"Raw profile type exif", b"Raw profile type APP1"):
            continue
        size += len(body)
        if size > _TEXT_LIMIT:
            warn_once(path, f"has more than {_TEXT_LIMIT // 2**20} MiB of text; the rest is left out")
            break
        text.append((name, body))
    return color, tuple(text)
