"""Pictures of every kind come in upright and go out as what they were."""

import contextlib
import io
import itertools
import os
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from restore.core.errors import DataError, RestoreError, UsageError
from restore.core.pictures.files import PIXEL_LIMIT, list_pictures, picture_size, png16, read_picture, write_picture
from restore.core.pictures.transparency import continued, resized_alpha
from restore.core.planes import Rendered


def levels(height=5, width=7, channels=3, dtype=np.uint8, seed=0):
    high = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, high, (height, width, channels), dtype, endpoint=True)


def saved(folder, image, name="picture.png", **options):
    path = folder / name
    image.save(path, **options)
    return path


def reopened(path):
    with Image.open(path) as image:
        image.load()
        image.getexif()
        return image


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_a_colour_picture_survives_reading_and_writing(tmp_path):
    values = levels()
    picture = read_picture(saved(tmp_path, Image.fromarray(values)))
    assert picture.colour.shape == (3, 5, 7)
    assert picture.size == (5, 7)
    assert (picture.alpha, picture.gray, picture.bits) == (None, False, 8)
    assert torch.equal(picture.colour, torch.from_numpy(values).permute(2, 0, 1) / 255)
    written = reopened(write_picture(tmp_path / "out.png", picture.colour, picture))
    assert written.mode == "RGB"
    assert (np.asarray(written) == values).all()


def test_a_gray_picture_stays_gray(tmp_path):
    values = levels(channels=1)[..., 0]
    picture = read_picture(saved(tmp_path, Image.fromarray(values)))
    assert picture.gray
    assert picture.colour.shape == (3, 5, 7)
    nearly = picture.colour + torch.tensor([0.004, 0.0, -0.004])[:, None, None]
    written = reopened(write_picture(tmp_path / "out.png", nearly, picture))
    assert written.mode == "L"
    assert np.abs(np.asarray(written).astype(int) - values).max() <= 1


def test_a_gray_picture_that_was_given_colour_keeps_it(tmp_path):
    picture = read_picture(saved(tmp_path, Image.fromarray(levels(channels=1)[..., 0])))
    coloured = picture.colour.clone()
    coloured[0, 2, 2], coloured[1, 2, 2] = 1.0, 0.0  # one marked pixel is enough
    assert reopened(write_picture(tmp_path / "out.png", coloured, picture)).mode == "RGB"


def test_a_one_bit_picture_is_read_as_gray(tmp_path):
    picture = read_picture(saved(tmp_path, Image.fromarray(levels(channels=1)[..., 0] > 127)))
    assert picture.gray
    assert set(picture.colour.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize(("mode", "gray"), [("LA", True), ("RGBA", False)])
def test_alpha_is_kept_apart_and_written_again(tmp_path, mode, gray):
    image = Image.fromarray(levels(channels=4)).convert(mode)
    picture = read_picture(saved(tmp_path, image))
    assert picture.gray is gray
    assert torch.equal(picture.alpha[0], torch.from_numpy(np.asarray(image)[..., -1].copy()) / 255)
    written = reopened(write_picture(tmp_path / "out.png", picture.colour, picture))
    assert written.mode == mode
    visible = np.asarray(image)[..., -1] > 0
    assert (np.asarray(written)[visible] == np.asarray(image)[visible]).all()


def test_a_palette_with_transparency_becomes_colour_with_alpha(tmp_path):
    image = Image.new("P", (4, 3), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 1), 1)
    picture = read_picture(saved(tmp_path, image, transparency=1))
    assert picture.alpha[0, 1, 1] == 0
    assert picture.alpha.sum() == 11
    assert picture.colour[:, 0, 0].tolist() == [1, 0, 0]
    plain = read_picture(saved(tmp_path, image, "plain.png"))
    assert plain.alpha is None
    assert plain.colour[:, 1, 1].tolist() == [0, 0, 1]


def test_a_colour_that_stands_for_transparent_becomes_alpha(tmp_path):
    image = Image.fromarray(np.array([[[1, 2, 3], [9, 9, 9]]], np.uint8))
    assert read_picture(saved(tmp_path, image, transparency=(9, 9, 9))).alpha.tolist() == [[[1.0, 0.0]]]
    gray = Image.fromarray(np.array([[1, 9]], np.uint8))
    assert read_picture(saved(tmp_path, gray, "gray.png", transparency=9)).alpha.tolist() == [[[1.0, 0.0]]]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_stay_sixteen_bits(tmp_path, channels):
    values = levels(channels=channels, dtype=np.uint16)
    if channels in (2, 4):
        values[..., -1] |= 1  # nothing is invisible, so that every colour must survive
    path = tmp_path / "deep.png"
    png16.write(path, values)
    picture = read_picture(path)
    assert picture.bits == 16
    assert picture.gray is (channels < 3)
    assert (png16.read(write_picture(tmp_path / "out.png", picture.colour, picture)) == values).all()


def test_a_dark_sixteen_bit_picture_is_not_taken_for_an_eight_bit_one(tmp_path):
    picture = read_picture(saved(tmp_path, Image.fromarray(np.full((2, 2), 200, np.uint16))))
    assert picture.bits == 16
    assert torch.allclose(picture.colour, torch.tensor(200 / 65535))


def test_pillow_reads_the_sixteen_bit_pictures_that_are_written_here(tmp_path):
    values = levels(channels=3, dtype=np.uint16)
    png16.write(tmp_path / "deep.png", values, icc=srgb())
    image = reopened(tmp_path / "deep.png")
    assert image.info["icc_profile"] == srgb()
    assert (np.asarray(image) == values >> 8).all()


def test_a_transparent_colour_of_sixteen_bits_becomes_alpha(tmp_path):
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + struct.pack(">6H", 1, 2, 3, 7, 8, 9))
    chunks = chunk(b"IHDR", header) + chunk(b"tRNS", struct.pack(">3H", 7, 8, 9)) + chunk(b"IDAT", body)
    (tmp_path / "key.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b""))
    assert read_picture(tmp_path / "key.png").alpha.tolist() == [[[1.0, 0.0]]]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 3, 4]), st.integers(0, 999))
def test_every_mixture_of_png_filters_is_undone(height, width, channels, seed):
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
    restored = png16._unfiltered(
        np.frombuffer(data, np.uint8).reshape(height, -1)[:, 1:].reshape(height, width, size), chosen.astype(np.uint8)
    )
    assert (restored.view(">u2") == values).all()


def test_inks_become_colours(tmp_path):
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    picture = read_picture(saved(tmp_path, image, "inks.jpg", quality=100))
    assert not picture.gray
    red, green, blue = picture.colour.mean((1, 2)).tolist()
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
    picture = read_picture(path)
    assert picture_size(path) == picture.size == expected.shape[:2]
    assert np.abs(picture.colour.permute(1, 2, 0).numpy() * 255 - expected).max() < 0.01
    twice = torch.nn.functional.interpolate(picture.colour[None], scale_factor=2)[0]
    written = reopened(write_picture(tmp_path / "out.png", twice, picture)).getexif()
    assert 0x0112 not in written
    assert written[0x010F] == "Maker"
    folder = written.get_ifd(0x8769)
    assert (folder[0xA003], folder[0xA002]) == twice.shape[-2:]


def test_the_colour_profile_goes_along_unless_it_speaks_of_other_channels(tmp_path):
    picture = read_picture(saved(tmp_path, Image.fromarray(levels()), icc_profile=srgb()))
    assert picture.icc == srgb()
    kept = reopened(write_picture(tmp_path / "colour.png", picture.colour, picture))
    assert kept.info["icc_profile"] == srgb()
    mask = reopened(write_picture(tmp_path / "mask.png", picture.colour[:1], picture))
    assert "icc_profile" not in mask.info


def test_a_rendered_picture_takes_over_only_what_it_asks_for(tmp_path):
    deep = levels(channels=4, dtype=np.uint16)
    png16.write(tmp_path / "in.png", deep, srgb(), None)
    picture = read_picture(tmp_path / "in.png")
    for kept in itertools.product([True, False], repeat=3):
        path = write_picture(tmp_path / "out.png", Rendered(picture.colour, *kept), picture)
        again = read_picture(path)
        assert (again.bits == 16, again.alpha is not None, again.icc is not None) == kept
    assert write_picture(tmp_path / "alone.png", Rendered(picture.colour)).exists()


def test_tags_that_describe_a_tiff_file_are_left_behind(tmp_path):
    path = saved(tmp_path, Image.fromarray(levels()), "scan.tif", tiffinfo={270: "A scan"})
    written = reopened(write_picture(tmp_path / "out.png", torch.zeros(3, 4, 4), read_picture(path))).getexif()
    assert dict(written) == {270: "A scan"}


def test_one_pixel_is_a_picture(tmp_path):
    assert read_picture(saved(tmp_path, Image.new("RGB", (1, 1), "red"))).colour.flatten().tolist() == [1, 0, 0]


# --- bad files ------------------------------------------------------------------------------------------------


def test_a_photograph_that_was_cut_off_is_named(tmp_path):
    path = saved(tmp_path, Image.fromarray(levels(64, 64)), "cut.jpg")
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(DataError, match=r"cut\.jpg: is damaged or cut off"):
        read_picture(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"just some words, no picture", "is not a picture"), (b"", "is empty"), (b"%!PS-Adobe", "not a")],
)
def test_a_file_that_only_is_named_as_a_picture_is_refused(tmp_path, content, said):
    (tmp_path / "fake.png").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_picture(tmp_path / "fake.png")


def test_a_missing_file_and_a_folder_are_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(UsageError, match="is a folder"):
        read_picture(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path):
    path = saved(tmp_path, Image.fromarray(levels()))
    path.chmod(0)
    with pytest.raises(DataError, match="permission denied"):
        read_picture(path)


@pytest.mark.parametrize("side", [12_000, 20_000, 2**31 - 1])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path, side):
    assert side**2 > PIXEL_LIMIT
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    with pytest.raises(DataError, match=r"bomb\.png: (too large|is damaged)"):
        read_picture(tmp_path / "bomb.png")


def test_pictures_without_a_known_white_are_refused(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.ones((2, 2), np.float32)), "float.tif")
    with pytest.raises(DataError, match=r"float\.tif: floating-point pictures have no known white"):
        read_picture(path)
    path = saved(tmp_path, Image.fromarray(np.full((2, 2), 70_000, np.int32)), "wide.tif")
    with pytest.raises(DataError, match=r"wide\.tif: 32-bit pictures have no known white"):
        read_picture(path)


FORMATS = {"png": {}, "jpg": {}, "webp": {}, "tif": {"compression": "tiff_lzw"}, "gif": {}, "bmp": {}}


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([*FORMATS, "deep"]), st.data())
def test_a_damaged_file_never_ends_in_anything_but_a_clear_error(tmp_path_factory, kind, data):
    path = tmp_path_factory.mktemp("damaged") / f"picture.{kind if kind != 'deep' else 'png'}"
    if kind == "deep":
        png16.write(path, levels(channels=4, dtype=np.uint16))
    else:
        Image.fromarray(levels(12, 12)).save(path, **FORMATS[kind])
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with contextlib.suppress(DataError):
        assert torch.isfinite(read_picture(path).colour).all()


# --- writing --------------------------------------------------------------------------------------------------


def test_values_outside_of_the_range_are_clipped(tmp_path):
    path = write_picture(tmp_path / "out.png", torch.tensor([-1.0, 0.5, 2.0]).reshape(1, 1, 3))
    assert np.asarray(reopened(path)).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_picture_with_values_that_are_no_numbers_is_never_written(tmp_path, value):
    picture = torch.zeros(3, 4, 4)
    picture[1, 2, 3] = value
    with pytest.raises(DataError, match="no numbers"):
        write_picture(tmp_path / "out.png", picture)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = write_picture(tmp_path / "out.png", torch.zeros(3, 4, 4))
    before = path.read_bytes()

    def full(self, file, **options):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(RestoreError, match=r"out\.png: cannot be written: the disk is full"):
        write_picture(path, torch.ones(3, 4, 4))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_writing_into_a_missing_folder_is_a_clear_error(tmp_path):
    with pytest.raises(RestoreError, match="no such folder"):
        write_picture(tmp_path / "none" / "out.png", torch.zeros(3, 4, 4))


# --- transparency ---------------------------------------------------------------------------------------------


def test_no_dark_fringe_shows_around_a_figure_on_transparent_black(tmp_path):
    values = np.zeros((16, 16, 4), np.uint8)
    values[4:11, 5:12] = (200, 120, 40, 255)
    picture = read_picture(saved(tmp_path, Image.fromarray(values)))
    enlarged = torch.nn.functional.interpolate(picture.colour[None], scale_factor=4, mode="bilinear")[0]
    written = np.asarray(reopened(write_picture(tmp_path / "out.png", enlarged, picture))).astype(int)
    assert written.shape == (64, 64, 4)
    visible = written[written[..., 3] > 0][:, :3]
    assert np.abs(visible - [200, 120, 40]).max() <= 1
    assert written[0, 0, 3] == 0
    assert written[30, 34, 3] == 255


def test_hidden_colours_are_continued_and_visible_ones_left_alone():
    colour = torch.rand(3, 9, 13, generator=torch.Generator().manual_seed(1))
    alpha = torch.zeros(1, 9, 13)
    alpha[:, 2:4, 3:7] = 0.5
    filled = continued(colour, alpha)
    seen = alpha[0] > 0
    assert torch.equal(filled[:, seen], colour[:, seen])
    for channel in range(3):
        inside = colour[channel, seen]
        assert inside.min() - 1e-6 <= filled[channel].min()
        assert filled[channel].max() <= inside.max() + 1e-6


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_even_alpha_plane_changes_nothing(value):
    colour = torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(1))
    alpha = torch.full((1, 5, 5), value)
    assert torch.equal(continued(colour, alpha), colour)
    assert torch.allclose(resized_alpha(alpha, 11, 15), torch.full((1, 11, 15), value))


# --- folders --------------------------------------------------------------------------------------------------


def test_links_that_lead_nowhere_are_named(tmp_path, caplog):
    saved(tmp_path, Image.new("RGB", (1, 1)), "here.png")
    for name in ("b.png", "a.jpg", "notes.txt", ".hidden.png"):
        (tmp_path / name).symlink_to(tmp_path / "gone")
    assert [path.name for path in list_pictures(tmp_path)] == ["here.png"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: these links lead nowhere and are left out: a.jpg, b.png"
    ]


def test_a_folder_is_listed_as_a_person_counts(tmp_path):
    for name in ("10.png", "9.JPG", "a2.tif", "a10.tif", "²x.bmp", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_pictures(tmp_path)] == ["9.JPG", "10.png", "a2.tif", "a10.tif", "²x.bmp"]


def test_a_folder_without_pictures_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        list_pictures(tmp_path / "none")
    with pytest.raises(UsageError, match="it is empty"):
        list_pictures(tmp_path)
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(UsageError, match="none of its 1 files"):
        list_pictures(tmp_path)
    with pytest.raises(UsageError, match="cannot be listed"):
        list_pictures(tmp_path / "notes.txt")


def test_a_damaged_profile_of_inks_is_ignored(tmp_path):
    stream = io.BytesIO()
    Image.new("CMYK", (2, 2), (0, 0, 0, 0)).save(stream, "JPEG", icc_profile=b"no profile at all")
    (tmp_path / "inks.jpg").write_bytes(stream.getvalue())
    assert read_picture(tmp_path / "inks.jpg").colour.min() > 0.95
