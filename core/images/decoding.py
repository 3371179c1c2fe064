"""Pixel values of an image file of any format and mode, upright."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from restore.core.errors import DataError
from restore.core.images import metadata, png16, ppm, tiff
from restore.core.images.backing import StoredLevels, store_levels
from restore.core.images.frames import frame_count, pillow_frame
from restore.core.images.metadata import Metadata
from restore.core.images.opening import open_file, refuse_large, translate_errors
from restore.core.images.row_format import Levels
from restore.core.images.warned import warn_once

_AT_ONCE = 2**22  # pixels that are converted at once


@dataclass(frozen=True)
class Decoded:
    """A decoded image file."""

    levels: Levels
    """(H, W, C), upright, uint8 or uint16; C is 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA)."""
    metadata: Metadata
    """What else the file says."""
    release: Callable[[], None] = lambda: None
    """Lets levels that were read leave memory, if they lie in a file."""


def decode(path: Path, frame: int | None = None) -> Decoded:
    """Decode one frame of an image file.

    Warnings are logged about what is lost: other frames unless one is asked for, channels, bits.

    Args:
        path: the file.
        frame: index of the frame or page; None: the first.

    Raises:
        UsageError: the file does not exist, or has no such frame.
        DataError: the file is unreadable, damaged, not an image, too large, or its levels have no clear meaning.
    """
    with translate_errors(path):
        place = pillow_frame(path, frame or 0)
        deep = _exact_levels(path, place)
        if deep is not None and tiff.is_tiff(path):
            orientation, kept = metadata.of_tiff(path, place)
            return _finish(path, deep, orientation, kept, frame)
    with open_file(path, place) as image:
        image.load()
        whole = None if deep is None else StoredLevels(deep)
        if whole is None and image.format == "PNG":
            whole = png16.read_stored(path)
        if whole is None:
            _warn_of_lost_bits(path, image)
        orientation, kept = metadata.of_image(image, path)
        if image.mode in ("CMYK", "LAB"):
            kept = kept.without_colors()  # they described inks or another color space; the pixels are RGB now
        stored = _store_pixels(image, path) if whole is None else whole
    return _finish(path, stored.levels, orientation, kept, frame, stored.release)


@dataclass(frozen=True)
class DecodedValues:
    """A file with one value per pixel."""

    values: npt.NDArray[Any]
    """(H, W), upright: palette indices, or gray. Integers of any size are as they are stored."""
    palette: npt.NDArray[np.uint8] | None
    """(N, 3): the colors that the values mean; None without a palette."""


def decode_values(path: Path) -> DecodedValues:
    """Return the values of a file with one value per pixel.

    They stay as they are stored, because class numbers have no black and no white. Alpha does not matter. Raises
    DataError for a file with colors, and as `decode`.
    """
    with translate_errors(path):
        stored = tiff.read_numbers(path) if tiff.is_tiff(path) else None
        if stored is not None and tiff.layout(path).photometric != 0:
            orientation, _ = metadata.of_tiff(path, 0)
            values, palette = stored
            return DecodedValues(apply_orientation(values[..., None], orientation)[..., 0], palette)
    with open_file(path) as image:
        if image.mode == "P":
            image.load()
            orientation, _ = metadata.of_image(image, path)
            palette = np.asarray(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
            return DecodedValues(apply_orientation(np.asarray(image)[..., None], orientation)[..., 0], palette)
    levels = decode(path).levels
    if levels.shape[2] in (2, 4):
        levels = levels[..., :-1]
    if (levels != levels[..., :1]).any():
        raise DataError(
            f"{path} is a color image; a mask needs one value per pixel: save it with a palette (indexed color), or as "
            "gray with the class numbers 0, 1, 2, … as values"
        )
    return DecodedValues(levels[..., 0], None)


def _store_pixels(image: Image.Image, path: Path) -> StoredLevels:
    """Convert a decoded image strip by strip, because conversions copy it."""
    step = max(1, _AT_ONCE // image.width)
    if image.height <= step:
        return StoredLevels(pixel_levels(image, path))
    strips = (
        pixel_levels(image.crop((0, top, image.width, min(top + step, image.height))), path)
        for top in range(0, image.height, step)
    )
    return store_levels(image.height, strips)


def pixel_levels(image: Image.Image, path: Path) -> Levels:
    """Return levels (H, W, C) as in `Decoded`, not turned, of an image that Pillow has decoded."""
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)[..., None]
    if image.mode == "I":
        return _narrow(np.asarray(image), path)[..., None]
    if image.mode == "F":
        raise DataError(
            f"{path}: floating-point images are not supported (unknown value range); save it as 8 or 16 bit"
        )
    if image.mode == "CMYK":
        converted = _from_inks(image)
    elif image.mode in ("1", "L", "LA", "La"):
        converted = image.convert("LA" if image.mode != "1" and image.has_transparency_data else "L")
    else:
        converted = image.convert("RGBA" if image.has_transparency_data else "RGB")
    values: npt.NDArray[np.uint8] = np.asarray(converted)
    return values if values.ndim == 3 else values[..., None]


def apply_orientation(levels: npt.NDArray[Any], orientation: object) -> npt.NDArray[Any]:
    """Rotate and mirror levels (H, W, C) by an EXIF orientation from 1 to 8 (EXIF 2.32, section 4.6.4); no copy."""
    if orientation in (5, 6, 7, 8):
        levels = levels.transpose(1, 0, 2)  # mirrors at the main diagonal, which is orientation 5
    if orientation in (2, 3, 6, 7):
        levels = levels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        levels = levels[::-1]
    return levels


def _exact_levels(path: Path, page: int) -> Levels | None:
    """Return the levels of a TIFF or PPM file that Pillow would not decode exactly; None for any other file."""
    if not tiff.is_tiff(path):
        return ppm.read_deep(path)
    try:
        layout = tiff.layout(path, page)
    except Exception:  # noqa: BLE001 - Pillow may know better, and words the error otherwise
        return None
    tiff.refuse_unclear(path, layout)
    kept = layout.colors + (layout.alpha is not None)
    if layout.channels > kept and layout.colors:
        several = "channels beside its colors are" if layout.channels - kept > 1 else "channel beside its colors is"
        warn_once(path, f"{layout.channels - kept} {several} left out")
    if not layout.wrong_in_pillow:
        return None
    refuse_large(path, *tiff.size(path, page))
    return tiff.read_levels(path, page)


def _finish(
    path: Path,
    levels: Levels,
    orientation: object,
    kept: Metadata,
    frame: int | None,
    release: Callable[[], None] = lambda: None,
) -> Decoded:
    if levels.dtype == np.uint16 and 1 < int(levels.max(initial=0)) <= 255:
        warn_once(
            path,
            f"its 16-bit values end at {levels.max()}, so it is nearly black; if it is an 8-bit image in a 16-bit "
            "file, save it with 8 bits",
        )
    if frame is None and (count := frame_count(path)) > 1:
        warn_once(path, f"has {count} frames; only the first is used (restore predict has --frame)")
    if orientation in (5, 6, 7, 8):
        kept = kept.swap_resolution()
    return Decoded(apply_orientation(levels, orientation), kept, release)


def _narrow(values: npt.NDArray[Any], path: Path) -> npt.NDArray[np.uint16]:
    """Convert 32-bit levels, as Pillow decodes 16-bit files, to 16 bits."""
    if values.min() < 0 or values.max() > 65535:
        raise DataError(f"{path}: 32-bit images are not supported (unknown value range); save it as 8 or 16 bit")
    narrowed: npt.NDArray[np.uint16] = values.astype(np.uint16)
    return narrowed


def _from_inks(image: Image.Image) -> Image.Image:
    """Convert a CMYK image to RGB, with its own color profile if it has one."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # treat a damaged profile like a missing one
    return image.convert("RGB")


def _warn_of_lost_bits(path: Path, image: Image.Image) -> None:
    """Warn of formats of which Pillow decodes 8 bits, whatever the file has."""
    bits = _get_stored_bits(path, image)
    if bits > 8:
        warn_once(
            path, f"has {bits} bits per channel, of which {image.format} files keep 8 here; save it as 16-bit PNG"
        )


def _get_stored_bits(path: Path, image: Image.Image) -> int:
    if image.format == "TIFF":
        bits: Sequence[int] = image.tag_v2.get(258, (8,))  # type: ignore[attr-defined]  # BitsPerSample
        return max(bits)
    if image.format not in ("JPEG2000", "AVIF") or image.mode.startswith("I"):
        return 8
    with path.open("rb") as file:
        head = file.read(2**16)
    if image.format == "AVIF":  # the box pixi: version and flags, number of channels, bits of each
        place = head.find(b"pixi")
        return head[place + 9] if 0 <= place < len(head) - 9 else 8
    place = head.find(b"\xff\x4f\xff\x51")  # the marker SIZ; precision of the first channel at 40 (ISO 15444-1, A.5.1)
    return (head[place + 42] & 127) + 1 if 0 <= place < len(head) - 42 else 8
