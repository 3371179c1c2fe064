"""Small sound image files of every format that is read, from which damaged ones are made."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tifffile
from image_files import levels
from PIL import Image, PngImagePlugin, features
from tiff_files import write_tiff

from restore.core.images import png16


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return suffix and content of each file."""
    return (*_pillow(), *_portable_maps(), *_tiff())


def _photo(height: int = 13, width: int = 17, channels: int = 3) -> Image.Image:
    values = levels(height, width, channels)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif.update({274: 6, 305: "a program", 315: "somebody", 282: 300.0})
    exif.get_ifd(0x8769).update({0xA002: 17, 0xA003: 13, 0x9286: b"ASCII\0\0\0a comment"})
    return exif


def _pillow() -> Iterator[tuple[str, bytes]]:
    color, gray, alpha = _photo(), _photo(channels=1), _photo(channels=4)
    palette, bits = color.quantize(7), gray.convert("1")
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "a tree")
    text.add_itxt("Comment", "ein Baum", zip=True)
    for image in (color, gray, alpha, palette, bits, gray.convert("LA"), gray.convert("I;16")):
        yield "png", _saved(image, "PNG")
    yield "png", _saved(color, "PNG", pnginfo=text, exif=_exif(), dpi=(300, 300), icc_profile=_profile())
    yield "png", _saved(palette, "PNG", transparency=bytes([0, 128, 255]))
    yield "png", _saved(color, "PNG", save_all=True, append_images=[color.rotate(90)])
    for image in (color, gray, color.convert("CMYK")):
        yield "jpg", _saved(image, "JPEG", quality=80)
    yield "jpg", _saved(color, "JPEG", progressive=True, exif=_exif(), icc_profile=_profile(), comment=b"a comment")
    yield "jpg", _saved(color, "MPO", save_all=True, append_images=[color])
    for image in (color, alpha):
        yield "webp", _saved(image, "WEBP", quality=80, exif=_exif())
        yield "webp", _saved(image, "WEBP", lossless=True)
    yield "webp", _saved(color, "WEBP", save_all=True, append_images=[color.rotate(180)])
    for image in (color, gray, palette, bits, alpha):
        yield "bmp", _saved(image, "BMP")
        yield "gif", _saved(image, "GIF")
    yield "gif", _saved(palette, "GIF", save_all=True, append_images=[color.rotate(90)], loop=0, comment=b"moving")
    if features.check("jpg_2000"):
        yield "jp2", _saved(color, "JPEG2000")
    if features.check("avif"):
        yield "avif", _saved(color, "AVIF", quality=60)


def _profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _portable_maps() -> Iterator[tuple[str, bytes]]:
    color, deep = levels(5, 7), levels(5, 7, dtype=np.uint16)
    yield "ppm", b"P6\n# a comment\n7 5\n255\n" + color.tobytes()
    yield "pgm", b"P5 7 5 255\n" + color[..., 0].tobytes()
    yield "pbm", b"P4\n7 5\n" + np.packbits(color[..., 0] > 99, axis=1).tobytes()
    yield "ppm", b"P6\n7 5\n65535\n" + deep.astype(">u2").tobytes()
    yield "ppm", b"P3\n7 5\n1000\n" + " ".join(map(str, (deep % 1001).ravel())).encode()
    with TemporaryDirectory() as folder:
        for channels in (1, 2, 3, 4):
            png16.write(Path(folder) / "a.png", levels(9, 6, channels, np.uint16))
            yield "png", (Path(folder) / "a.png").read_bytes()


def _tiff() -> Iterator[tuple[str, bytes]]:
    color, gray, alpha = _photo(), _photo(channels=1), _photo(channels=4)
    for image in (color, gray, alpha, color.quantize(7), gray.convert("1"), color.convert("CMYK")):
        yield "tif", _saved(image, "TIFF", **({"exif": _exif()} if image is color else {}))
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield "tif", _saved(color, "TIFF", compression=compression)
    yield "tif", _saved(gray.convert("1"), "TIFF", compression="group4")
    yield "tif", _saved(color, "TIFF", save_all=True, append_images=[color.rotate(90)], dpi=(300, 300))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.tif"
        for options in (
            {"order": ">"}, {"bits": 12}, {"compression": "tiff_lzw", "predictor": 2}, {"compression": "packbits"},
        ):  # fmt: skip
            values = levels(9, 6, 3, np.uint16) >> (4 if options.get("bits") == 12 else 0)
            yield "tif", write_tiff(path, values, **options).read_bytes()
        deep = levels(32, 32, 3, np.uint16)
        for options in ({"tile": (16, 16)}, {"planarconfig": "separate"}, {"bigtiff": True}, {"byteorder": ">"}):
            stored = deep.transpose(2, 0, 1) if "planarconfig" in options else deep
            tifffile.imwrite(path, stored, photometric="rgb", metadata=None, **options)
            yield "tif", path.read_bytes()
        tifffile.imwrite(path, levels(9, 6, 1).astype(np.int16)[..., 0] - 40, metadata=None)
        yield "tif", path.read_bytes()
