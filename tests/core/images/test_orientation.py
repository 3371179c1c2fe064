"""The size of an upright image is known without decoding it, wherever its file says how it is turned."""

import pytest
from image_files import chunk, levels, saved
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from restore.core.images.files import image_size, read_image

XMP = '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'


def turned(orientation=6):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def check(path, size):
    assert image_size(path) == read_image(path).size == size


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["photo.jpg", "photo.tif", "photo.png", "photo.webp"])
def test_every_format_that_tells_it(tmp_path, name, orientation):
    path = saved(tmp_path, Image.fromarray(levels()), name, exif=turned(orientation))
    check(path, (7, 5) if orientation > 4 else (5, 7))


def test_xmp_data_of_a_png_and_of_a_tiff(tmp_path):
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP)
    check(saved(tmp_path, Image.fromarray(levels()), pnginfo=info), (7, 5))
    check(saved(tmp_path, Image.fromarray(levels()), "scan.tif", tiffinfo={700: XMP.encode()}), (7, 5))


@pytest.mark.parametrize(
    "late", [(b"eXIf", turned().tobytes()[6:]), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP.encode())]
)
def test_a_png_that_tells_it_behind_its_pixels(tmp_path, late):
    path = saved(tmp_path, Image.fromarray(levels()))
    content = path.read_bytes()
    path.write_bytes(content[:-12] + chunk(*late) + content[-12:])
    check(path, (7, 5))


def test_a_png_is_not_decoded_for_nothing(tmp_path, monkeypatch):
    info = PngInfo()
    info.add_text("Software", "a drawing program")
    path = saved(tmp_path, Image.fromarray(levels()), pnginfo=info, exif=turned())
    monkeypatch.setattr(Image.Image, "load", None)
    assert image_size(path) == (7, 5)


def test_data_that_cannot_be_read_turn_nothing(tmp_path):
    path = saved(
        tmp_path, Image.fromarray(levels()), "photo.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 9
    )
    check(path, (5, 7))
