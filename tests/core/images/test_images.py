"""Images of every kind come in upright and go out as what they were."""

import itertools
import struct
import zlib

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import chunk, levels, reopened, saved
from PIL import Image, ImageCms, ImageOps

from restore.core.images import png16
from restore.core.images.files import OutputImage, image_size, open_image, read_image, write_image
from restore.core.images.metadata import Metadata
from restore.core.images.pixels import to_uint8


def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_a_color_image_survives_reading_and_writing(tmp_path):
    values = levels()
    image = read_image(saved(tmp_path, Image.fromarray(values)))
    assert image.color.shape == (3, 5, 7)
    assert image.size == (5, 7)
    assert (image.alpha, image.gray, image.bits) == (None, False, 8)
    assert torch.equal(image.color, torch.from_numpy(values).permute(2, 0, 1) / 255)
    written = reopened(write_image(tmp_path / "out.png", image.color, image))
    assert written.mode == "RGB"
    assert (np.asarray(written) == values).all()


def test_a_gray_image_stays_gray(tmp_path):
    values = levels(channels=1)[..., 0]
    image = read_image(saved(tmp_path, Image.fromarray(values)))
    assert image.gray
    assert image.color.shape == (3, 5, 7)
    nearly = image.color + torch.tensor([0.004, 0.0, -0.004])[:, None, None]
    written = reopened(write_image(tmp_path / "out.png", nearly, image))
    assert written.mode == "L"
    assert np.abs(np.asarray(written).astype(int) - values).max() <= 1


def test_a_gray_image_that_was_given_color_keeps_it(tmp_path):
    image = read_image(saved(tmp_path, Image.fromarray(levels(channels=1)[..., 0])))
    colored = image.color.clone()
    colored[0, 2, 2], colored[1, 2, 2] = 1.0, 0.0  # one marked pixel is enough
    assert reopened(write_image(tmp_path / "out.png", colored, image)).mode == "RGB"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_eight_bits_without_floats_are_those_with_floats(tmp_path, channels):
    kind = "minisblack" if channels < 3 else "rgb"
    extra = {"extrasamples": ["unassalpha"]} if channels in (2, 4) else {}
    for dtype, size in itertools.product((np.uint8, np.uint16), ((5, 7), (1, 7), (5, 1), (1, 1))):
        values = levels(*size, channels, dtype)
        values = values[..., 0] if channels == 1 else values
        path = tmp_path / "image.tif"
        tifffile.imwrite(path, values, photometric=kind, planarconfig="contig", metadata=None, **extra)
        assert torch.equal(open_image(path).to_uint8(), to_uint8(read_image(path).color))


def test_a_one_bit_image_is_read_as_gray(tmp_path):
    image = read_image(saved(tmp_path, Image.fromarray(levels(channels=1)[..., 0] > 127)))
    assert image.gray
    assert set(image.color.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize(("mode", "gray"), [("LA", True), ("RGBA", False)])
def test_alpha_is_kept_apart_and_written_again(tmp_path, mode, gray):
    pil_image = Image.fromarray(levels(channels=4)).convert(mode)
    image = read_image(saved(tmp_path, pil_image))
    assert image.gray is gray
    assert torch.equal(image.alpha[0], torch.from_numpy(np.asarray(pil_image)[..., -1].copy()) / 255)
    written = reopened(write_image(tmp_path / "out.png", image.color, image))
    assert written.mode == mode
    visible = np.asarray(pil_image)[..., -1] > 0
    assert (np.asarray(written)[visible] == np.asarray(pil_image)[visible]).all()


def test_a_palette_with_transparency_becomes_color_with_alpha(tmp_path):
    pil_image = Image.new("P", (4, 3), 0)
    pil_image.putpalette([255, 0, 0, 0, 0, 255])
    pil_image.putpixel((1, 1), 1)
    image = read_image(saved(tmp_path, pil_image, transparency=1))
    assert image.alpha[0, 1, 1] == 0
    assert image.alpha.sum() == 11
    assert image.color[:, 0, 0].tolist() == [1, 0, 0]
    plain = read_image(saved(tmp_path, pil_image, "plain.png"))
    assert plain.alpha is None
    assert plain.color[:, 1, 1].tolist() == [0, 0, 1]


def test_a_color_that_stands_for_transparent_becomes_alpha(tmp_path):
    image = Image.fromarray(np.array([[[1, 2, 3], [9, 9, 9]]], np.uint8))
    assert read_image(saved(tmp_path, image, transparency=(9, 9, 9))).alpha.tolist() == [[[1.0, 0.0]]]
    gray = Image.fromarray(np.array([[1, 9]], np.uint8))
    assert read_image(saved(tmp_path, gray, "gray.png", transparency=9)).alpha.tolist() == [[[1.0, 0.0]]]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_stay_sixteen_bits(tmp_path, channels):
    values = levels(channels=channels, dtype=np.uint16)
    if channels in (2, 4):
        values[..., -1] |= 1  # nothing is invisible, so that every color must survive
    path = tmp_path / "deep.png"
    png16.write(path, values)
    image = read_image(path)
    assert image.bits == 16
    assert image.gray is (channels < 3)
    assert (png16.read(write_image(tmp_path / "out.png", image.color, image)) == values).all()


def test_a_dark_sixteen_bit_image_is_not_taken_for_an_eight_bit_one(tmp_path):
    image = read_image(saved(tmp_path, Image.fromarray(np.full((2, 2), 200, np.uint16))))
    assert image.bits == 16
    assert torch.allclose(image.color, torch.tensor(200 / 65535))


def test_pillow_reads_the_sixteen_bit_images_that_are_written_here(tmp_path):
    values = levels(channels=3, dtype=np.uint16)
    png16.write(tmp_path / "deep.png", values, Metadata(icc=srgb()).chunks(3, 5, 7))
    image = reopened(tmp_path / "deep.png")
    assert image.info["icc_profile"] == srgb()
    assert (np.asarray(image) == values >> 8).all()


def test_a_transparent_color_of_sixteen_bits_becomes_alpha(tmp_path):
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + struct.pack(">6H", 1, 2, 3, 7, 8, 9))
    chunks = chunk(b"IHDR", header) + chunk(b"tRNS", struct.pack(">3H", 7, 8, 9)) + chunk(b"IDAT", body)
    (tmp_path / "key.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b""))
    assert read_image(tmp_path / "key.png").alpha.tolist() == [[[1.0, 0.0]]]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 3, 4]), st.integers(0, 999))
def test_every_mixture_of_png_filters_is_undone(tmp_path_factory, height, width, channels, seed):
    """The filters are applied here one byte after the other, as the PNG specification writes them."""
    values = levels(height, width, channels, np.uint16, seed)
    chosen = np.random.default_rng(seed).integers(0, 5, height)
    lines = values.astype(">u2").view(np.uint8).reshape(height, -1).astype(int)
    size, data = channels * 2, b""
    for y, kind in enumerate(chosen):
        data += bytes([kind])
        for x, value in enumerate(lines[y]):
            left = lines[y, x - size] if x >= size else 0
            above = lines[y - 1, x] if y else 0
            corner = lines[y - 1, x - size] if y and x >= size else 0
            nearest = min((left, above, corner), key=lambda other: abs(left + above - corner - other))
            data += bytes([(value - (0, left, above, (left + above) // 2, nearest)[kind]) % 256])
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    path = tmp_path_factory.mktemp("filters") / "image.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    assert (png16.read(path) == values).all()


def test_inks_become_colors(tmp_path):
    pil_image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    image = read_image(saved(tmp_path, pil_image, "inks.jpg", quality=100))
    assert not image.gray
    red, green, blue = image.color.mean((1, 2)).tolist()
    assert red > 0.9
    assert green < 0.1
    assert blue < 0.1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright_and_says_so(tmp_path, orientation):
    values = np.full((16, 32, 3), 0, np.uint8)
    values[:8, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769).update({0xA002: 32, 0xA003: 16})
    path = saved(tmp_path, Image.fromarray(values), "photo.jpg", exif=exif, quality=100)
    expected = np.asarray(ImageOps.exif_transpose(reopened(path)))
    image = read_image(path)
    assert image_size(path) == image.size == expected.shape[:2]
    assert np.abs(image.color.permute(1, 2, 0).numpy() * 255 - expected).max() < 0.01
    twice = torch.nn.functional.interpolate(image.color[None], scale_factor=2)[0]
    written = reopened(write_image(tmp_path / "out.png", twice, image)).getexif()
    assert 0x0112 not in written
    assert written[0x010F] == "Maker"
    folder = written.get_ifd(0x8769)
    assert (folder[0xA003], folder[0xA002]) == twice.shape[-2:]


def test_the_color_profile_goes_along_unless_it_speaks_of_other_channels(tmp_path):
    image = read_image(saved(tmp_path, Image.fromarray(levels()), icc_profile=srgb()))
    assert image.metadata.icc == srgb()
    kept = reopened(write_image(tmp_path / "color.png", image.color, image))
    assert kept.info["icc_profile"] == srgb()
    mask = reopened(write_image(tmp_path / "mask.png", image.color[:1], image))
    assert "icc_profile" not in mask.info


def test_a_rendered_image_takes_over_only_what_it_asks_for(tmp_path):
    deep = levels(channels=4, dtype=np.uint16)
    png16.write(tmp_path / "in.png", deep, Metadata(icc=srgb()).chunks(4, 5, 7))
    image = read_image(tmp_path / "in.png")
    for kept in itertools.product([True, False], repeat=3):
        path = write_image(tmp_path / "out.png", OutputImage(image.color, *kept), image)
        again = read_image(path)
        assert (again.bits == 16, again.alpha is not None, again.metadata.icc is not None) == kept
    assert write_image(tmp_path / "alone.png", OutputImage(image.color)).exists()


def test_tags_that_describe_a_tiff_file_are_left_behind(tmp_path):
    path = saved(tmp_path, Image.fromarray(levels()), "scan.tif", tiffinfo={270: "A scan"})
    written = reopened(write_image(tmp_path / "out.png", torch.zeros(3, 4, 4), read_image(path))).getexif()
    assert dict(written) == {270: "A scan"}


def test_zero_may_be_white_in_a_tiff_of_sixteen_bits(tmp_path):
    values = levels(channels=1, dtype=np.uint16)[..., 0]
    path = saved(tmp_path, Image.fromarray(values), "scan.tif")
    usual = read_image(path)
    content = bytearray(path.read_bytes())
    photometric = content.index(np.array([262, 3], "<u2").tobytes())
    content[photometric + 8] = 0
    path.write_bytes(content)
    image = read_image(path)
    assert (image.bits, image.gray) == (16, True)
    for read, expected in ((usual, values), (image, 65535 - values)):
        assert ((read.color[0] * 65535).round().numpy() == expected).all()


def test_one_pixel_is_an_image(tmp_path):
    assert read_image(saved(tmp_path, Image.new("RGB", (1, 1), "red"))).color.flatten().tolist() == [1, 0, 0]
