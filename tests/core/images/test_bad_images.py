"""Images that cannot be read are named, whatever is wrong with them."""

import contextlib
import io
import os
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import chunk, levels, saved
from PIL import Image

from restore.core.errors import DataError, UsageError
from restore.core.images import png16
from restore.core.images.files import read_image
from restore.core.images.opening import PIXEL_LIMIT

FORMATS = {"png": {}, "jpg": {}, "webp": {}, "tif": {"compression": "tiff_lzw"}, "gif": {}, "bmp": {}}


def test_a_photograph_that_was_cut_off_is_named(tmp_path):
    path = saved(tmp_path, Image.fromarray(levels(64, 64)), "cut.jpg")
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(DataError, match=r"cut\.jpg: is damaged or truncated"):
        read_image(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"just some words, no image", "is not an image"), (b"", "is empty"), (b"%!PS-Adobe", "is a PostScript document")],
)
def test_a_file_that_only_is_named_as_an_image_is_refused(tmp_path, content, said):
    (tmp_path / "fake.png").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_image(tmp_path / "fake.png")


def test_a_missing_file_and_a_folder_are_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(UsageError, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path):
    path = saved(tmp_path, Image.fromarray(levels()))
    path.chmod(0)
    with pytest.raises(DataError, match="permission denied"):
        read_image(path)


@pytest.mark.parametrize("side", [12_000, 20_000, 2**31 - 1])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path, side):
    assert side**2 > PIXEL_LIMIT
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    with pytest.raises(DataError, match=r"bomb\.png: (too large|is damaged)"):
        read_image(tmp_path / "bomb.png")


def test_images_without_a_known_white_are_refused(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.ones((2, 2), np.float32)), "float.tif")
    with pytest.raises(DataError, match=r"float\.tif: has floating-point 32-bit values, so black"):
        read_image(path)
    path = saved(tmp_path, Image.fromarray(np.full((2, 2), 70_000, np.int32)), "wide.tif")
    with pytest.raises(DataError, match=r"wide\.tif: has signed 32-bit values"):
        read_image(path)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([*FORMATS, "deep"]), st.data())
def test_a_damaged_file_never_ends_in_anything_but_a_clear_error(tmp_path_factory, kind, data):
    path = tmp_path_factory.mktemp("damaged") / f"image.{kind if kind != 'deep' else 'png'}"
    if kind == "deep":
        png16.write(path, levels(channels=4, dtype=np.uint16))
    else:
        Image.fromarray(levels(12, 12)).save(path, **FORMATS[kind])
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with contextlib.suppress(DataError):
        assert torch.isfinite(read_image(path).color).all()


def test_a_damaged_profile_of_inks_is_ignored(tmp_path):
    stream = io.BytesIO()
    Image.new("CMYK", (2, 2), (0, 0, 0, 0)).save(stream, "JPEG", icc_profile=b"no profile at all")
    (tmp_path / "inks.jpg").write_bytes(stream.getvalue())
    assert read_image(tmp_path / "inks.jpg").color.min() > 0.95
