"""TIFF files of any depth, layout, byte order and compression are read exactly, or refused with the reason."""

import numpy as np
import pytest
import tifffile
from image_files import levels
from PIL import Image
from tiff_files import write_tiff

from restore.core.errors import DataError
from restore.core.images.decoding import decode, decode_values
from restore.core.images.files import image_size, read_image

COMPRESSIONS = [None, "tiff_lzw", "packbits", "tiff_adobe_deflate"]


def opaque(values):
    if values.shape[-1] in (2, 4):
        values[..., -1] |= 1  # nothing is invisible, so that every color must survive
    return values


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_every_layout_of_the_samples_gives_the_same_image(tmp_path, order, tile, planes, dtype, channels):
    values = opaque(levels(21, 35, channels, dtype))
    stored = values if planes == "contig" else np.moveaxis(values, -1, 0)
    tifffile.imwrite(
        tmp_path / "image.tif", stored, photometric="rgb" if channels > 2 else "minisblack", planarconfig=planes,
        byteorder=order, tile=tile, metadata=None, extrasamples=["unassalpha"] if channels in (2, 4) else None,
    )  # fmt: skip
    assert image_size(tmp_path / "image.tif") == (21, 35)
    assert np.array_equal(decode(tmp_path / "image.tif").levels, values)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_depth_above_8_bits_is_kept(tmp_path, order, compression, bits, channels):
    high = 2**bits - 1
    values = opaque(np.random.default_rng(bits).integers(0, high, (9, 13, channels), np.uint16, endpoint=True))
    path = write_tiff(tmp_path / "image.tif", values, bits=bits, order=order, compression=compression)
    expected = (values.astype(np.uint32) * 65535 + high // 2) // high
    assert np.array_equal(decode(path).levels, expected)


@pytest.mark.parametrize("compression", COMPRESSIONS[1:])
def test_horizontal_differences_are_undone(tmp_path, compression):
    values = levels(9, 13, 3, np.uint16)
    path = write_tiff(tmp_path / "image.tif", values, compression=compression, predictor=2)
    assert np.array_equal(decode(path).levels, values)


def test_premultiplied_colors_are_divided_by_alpha(tmp_path):
    values = np.array([[[30_000, 15_000, 0, 32_768]]], np.uint16)
    path = write_tiff(tmp_path / "image.tif", values, tags=[(338, [1])])
    assert decode(path).levels.tolist() == [[[59_999, 30_000, 0, 32_768]]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "I;16", "P", "RGB", "RGBA", "CMYK", "1"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_an_image_stored_sideways_is_turned_upright(tmp_path, orientation, mode, compression):
    gray = levels(6, 4, 1)[..., 0]
    image = Image.fromarray(gray.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(gray).convert(mode)
    plain = tmp_path / "plain.tif"
    image.save(plain, compression=compression)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.tif", compression=compression, exif=exif)
    stored = decode(plain).levels
    turns = [lambda a: a, np.fliplr, lambda a: np.rot90(a, 2), np.flipud, lambda a: np.swapaxes(a, 0, 1)]
    turns += [lambda a: np.rot90(a, -1), lambda a: np.rot90(np.swapaxes(a, 0, 1), 2), lambda a: np.rot90(a, 1)]
    expected = turns[orientation - 1](stored)
    assert image_size(tmp_path / "turned.tif") == expected.shape[:2]
    assert np.array_equal(decode(tmp_path / "turned.tif").levels, expected)
    if mode in ("L", "P"):
        assert np.array_equal(
            decode_values(tmp_path / "turned.tif").values, turns[orientation - 1](decode_values(plain).values)
        )


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint32, np.float32, np.float64])
def test_values_without_a_known_black_and_white_are_refused_by_their_kind(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "scan.tif", np.arange(20).reshape(4, 5).astype(dtype), metadata=None)
    kind = {"i": "signed", "u": "unsigned", "f": "floating-point"}[np.dtype(dtype).kind]
    with pytest.raises(DataError, match=rf"scan\.tif: has {kind} {np.dtype(dtype).itemsize * 8}-bit values"):
        read_image(tmp_path / "scan.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_channels_that_are_no_colors_are_refused_by_their_number(tmp_path, dtype, planes):
    values = levels(8, 9, 5, dtype)
    stored = values if planes == "contig" else np.moveaxis(values, -1, 0)
    tifffile.imwrite(tmp_path / "five.tif", stored, photometric="minisblack", planarconfig=planes, metadata=None)
    with pytest.raises(DataError, match=r"five\.tif: has 5 channels"):
        read_image(tmp_path / "five.tif")


def test_a_channel_that_is_left_out_is_said(tmp_path, caplog):
    tifffile.imwrite(
        tmp_path / "near.tif", levels(8, 9, 4, np.uint16), photometric="rgb", extrasamples=["unspecified"],
        metadata=None,
    )  # fmt: skip
    image = read_image(tmp_path / "near.tif")
    assert image.alpha is None
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'near.tif'}: 1 channel beside its colors is left out"
    ]


def test_eight_bit_values_in_a_wider_file_are_said_to_be_dark(tmp_path, caplog):
    tifffile.imwrite(tmp_path / "dark.tif", levels(8, 9, 3).astype(np.uint16), photometric="rgb", metadata=None)
    read_image(tmp_path / "dark.tif")
    (record,) = caplog.records
    assert "16-bit values end at 255" in record.getMessage()


def test_class_numbers_may_have_any_width_but_no_sign(tmp_path):
    numbers = np.arange(20).reshape(4, 5)
    for dtype in (np.uint16, np.int16, np.int32, np.uint32, np.int64):
        tifffile.imwrite(tmp_path / "mask.tif", numbers.astype(dtype), metadata=None)
        assert np.array_equal(decode_values(tmp_path / "mask.tif").values, numbers)
    tifffile.imwrite(tmp_path / "mask.tif", numbers.astype(np.int16) - 1, metadata=None)
    with pytest.raises(DataError, match=r"mask\.tif: has negative values \(-1 to 18\)"):
        decode_values(tmp_path / "mask.tif")


def test_more_pixels_than_the_file_has_bytes_are_not_allocated(tmp_path):
    path = write_tiff(tmp_path / "image.tif", levels(9, 13, 3, np.uint16), tags=[(256, [9000]), (257, [9000])])
    with pytest.raises(DataError, match="fewer than its size needs"):
        read_image(path)
