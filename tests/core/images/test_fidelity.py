"""What an image file has besides 8-bit pixels goes along into the result, or a warning says what does not."""

import math
import struct
import zlib

import numpy as np
import pytest
import tifffile
import torch
from image_files import chunk, levels, reopened, saved
from PIL import Image, PngImagePlugin

from restore.core.errors import DataError, UsageError
from restore.core.images import png16
from restore.core.images.decoding import decode
from restore.core.images.files import image_size, read_image, write_image
from restore.core.images.frames import frame_count
from restore.core.images.opening import LIMIT_VARIABLE
from restore.plugins.classic.settings import UpscalingPredictOptions, UpscalingSettings
from restore.plugins.classic.upscaling import Bicubic, Bilinear, Lanczos, Nearest

XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:title="Oak"/></x:xmpmeta>'


def rewritten(folder, path, scale=1):
    """Read an image and write it again, larger if ``scale`` says so."""
    image = read_image(path)
    result = image.color.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    return reopened(write_image(folder / "result.png", result, image))


def with_chunks(path, *chunks):
    data = path.read_bytes()
    path.write_bytes(data[:33] + b"".join(chunk(*each) for each in chunks) + data[33:])
    return path


def interlaced(path, values):
    """Write a PNG (H, W, C) of 16 bits with the seven passes of Adam7, none of them filtered."""
    height, width, channels = values.shape
    grids = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    data = b""
    for top, left, down, across in grids:
        for row in values[top::down, left::across]:
            data += b"\0" + row.astype(">u2").tobytes() if len(row) else b""
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 1)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 8), (9, 13)])
def test_an_interlaced_png_keeps_16_bits(tmp_path, channels, size):
    values = levels(*size, channels, np.uint16)
    assert np.array_equal(png16.read(interlaced(tmp_path / "image.png", values)), values)


@pytest.mark.parametrize("highest", [256, 1023, 4095, 65535])
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_a_ppm_keeps_16_bits(tmp_path, highest, kind):
    channels = 3 if kind in ("P3", "P6") else 1
    values = np.random.default_rng(0).integers(0, highest, (4, 5, channels), np.uint16, endpoint=True)
    plain = kind in ("P2", "P3")
    body = " ".join(map(str, values.flatten())).encode() if plain else values.astype(">u2").tobytes()
    path = tmp_path / "image.ppm"
    path.write_bytes(f"{kind}\n# a comment\n5 4\n{highest}\n".encode() + body)
    expected = (values.astype(np.uint32) * 65535 + highest // 2) // highest
    assert np.array_equal(decode(path).levels, expected)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match="truncated"):
        decode(path)


@pytest.mark.parametrize("bits", [8, 16])
def test_chunks_about_color_are_kept(tmp_path, bits):
    path = tmp_path / "image.png"
    values = levels(6, 8, 3, np.uint16 if bits == 16 else np.uint8)
    if bits == 16:
        png16.write(path, values)
    else:
        Image.fromarray(values).save(path)
    chunks = [
        (b"gAMA", struct.pack(">I", 100000)),
        (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        (b"sRGB", b"\0"),
        (b"cICP", bytes([9, 16, 0, 1])),
    ]
    with_chunks(path, *chunks)
    rewritten(tmp_path, path)
    result = (tmp_path / "result.png").read_bytes()
    for each in chunks:
        assert chunk(*each) in result
        assert result.index(each[0]) < result.index(b"IDAT")


def test_the_primaries_of_a_tiff_become_a_chunk(tmp_path):
    tags = {318: (0.3127, 0.329), 319: (0.64, 0.33, 0.3, 0.6, 0.15, 0.06)}
    path = saved(tmp_path, Image.fromarray(levels()), "image.tif", tiffinfo=tags)
    rewritten(tmp_path, path)
    expected = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    assert chunk(b"cHRM", expected) in (tmp_path / "result.png").read_bytes()


@pytest.mark.parametrize("name", ["image.jpg", "image.png", "image.tif", "image.bmp", "deep.png", "deep.tif"])
def test_the_resolution_is_kept(tmp_path, name):
    values = levels(8, 8, 1, np.uint16)[..., 0] if name.startswith("deep") else levels(8, 8)
    path = saved(tmp_path, Image.fromarray(values), name, dpi=(300, 200))
    written = rewritten(tmp_path, path, scale=2)
    assert written.info["dpi"] == pytest.approx((300, 200), abs=0.1)


def test_the_resolution_turns_with_the_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path, Image.fromarray(levels()), "image.jpg", dpi=(300, 200), exif=exif)
    assert rewritten(tmp_path, path).info["dpi"] == pytest.approx((200, 300), abs=0.1)


@pytest.mark.parametrize("bits", [8, 16])
def test_text_of_a_png_is_kept(tmp_path, bits):
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a tree with a bird")
    info.add_text("long", "word " * 500, zip=True)
    info.add_itxt("Title", "Vögel", "de", "Titel")
    values = levels(6, 8, 1, np.uint16)[..., 0] if bits == 16 else levels(6, 8)
    written = rewritten(tmp_path, saved(tmp_path, Image.fromarray(values), pnginfo=info)).text
    assert written == {"parameters": "a tree with a bird", "long": "word " * 500, "Title": "Vögel"}


@pytest.mark.parametrize("name", ["image.jpg", "image.webp", "image.tif", "image.png"])
def test_xmp_is_kept_but_does_not_turn_the_upright_image_again(tmp_path, name):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP)
    more = {"image.png": {"pnginfo": info}, "image.tif": {"tiffinfo": {700: XMP.encode()}}}
    path = saved(tmp_path, Image.fromarray(levels()), name, **more.get(name, {"xmp": XMP.encode()}))
    assert image_size(path) == (7, 5)
    written = rewritten(tmp_path, path)
    kept = written.info["XML:com.adobe.xmp"]
    assert kept in (XMP.replace('Orientation="6"', 'Orientation="1"'), XMP.replace('tiff:Orientation="6"', ""))
    assert written.getexif().get(0x0112, 1) == 1


def test_comments_and_iptc_data_become_text(tmp_path):
    path = saved(tmp_path, Image.fromarray(levels()), "image.jpg", comment="by hand")
    iptc = b"\x1c\x02\x78\x00\x04oak!"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)
    segment = b"Photoshop 3.0\0" + resource
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + data[2:])
    written = rewritten(tmp_path, path).text
    assert written["Comment"] == "by hand"
    assert bytes.fromhex("".join(written["Raw profile type iptc"].split("\n")[3:])) == iptc


@pytest.mark.parametrize("suffix", ["gif", "webp", "tif", "png"])
def test_frames_are_counted_said_and_read_one_by_one(tmp_path, caplog, suffix):
    colors = ("red", "lime", "blue")
    frames = [Image.new("RGB", (8, 6), color) for color in colors]
    path = tmp_path / f"three.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **({"lossless": True} if suffix == "webp" else {}))
    assert frame_count(path) == 3
    for index in range(3):
        assert read_image(path, index).color[:, 0, 0].argmax() == index
    assert not caplog.records
    assert read_image(path).color[:, 0, 0].tolist() == [1, 0, 0]
    assert read_image(path).size == (6, 8)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: has 3 frames; only the first is used (restore predict has --frame)"
    ]
    with pytest.raises(UsageError, match="has no frame 4; it has 3"):
        read_image(path, 3)


def test_a_reduced_copy_inside_a_tiff_is_no_page(tmp_path):
    with tifffile.TiffWriter(tmp_path / "image.tif") as file:
        file.write(levels(2, 2), subfiletype=1, photometric="rgb", metadata=None)
        file.write(levels(8, 8), photometric="rgb", metadata=None)
        file.write(levels(8, 9), photometric="rgb", metadata=None)
    assert frame_count(tmp_path / "image.tif") == 2
    assert read_image(tmp_path / "image.tif", 0).size == image_size(tmp_path / "image.tif") == (8, 8)
    assert read_image(tmp_path / "image.tif", 1).size == (8, 9)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "is a HEIC image; convert it"),
        ("a.png", b"<!DOCTYPE html><html>", "is a web page"),
        ("a.tif", b"8BPS" + bytes(50), "is a Photoshop document"),
        ("a.png", b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("a.jpg", b"\0\0\0\x18ftypisom" + bytes(50), "a video"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_kind(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_image(tmp_path / name)


def test_the_limit_of_pixels_can_be_raised(tmp_path, monkeypatch):
    path = saved(tmp_path, Image.new("1", (1500, 1000)))
    monkeypatch.setenv(LIMIT_VARIABLE, "1")
    for read in (read_image, image_size):
        with pytest.raises(DataError, match=rf"1500 x 1000 pixels; .*{LIMIT_VARIABLE}=2"):
            read(path)
    for allowed in ("1.5", "none", ""):
        monkeypatch.setenv(LIMIT_VARIABLE, allowed)
        assert read_image(path).size == (1000, 1500)
    monkeypatch.setenv(LIMIT_VARIABLE, "many")
    with pytest.raises(UsageError, match=f"{LIMIT_VARIABLE}=many"):
        read_image(path)


def exif_with(tag, kind, body):
    """Return EXIF data with one entry of a kind (TIFF 6.0, section 2) and four bytes."""
    return b"Exif\0\0" + struct.pack("<2sHIHHHI", b"II", 42, 8, 1, tag, kind, 1) + body + bytes(4)


@pytest.mark.parametrize("tag", [0x0131, 0x010E, 0x013B, 0x8298])
@pytest.mark.parametrize(("kind", "body"), [(11, struct.pack("<f", 1.5)), (4, struct.pack("<I", 7))])
@pytest.mark.parametrize("name", ["image.jpg", "image.png", "image.webp"])
def test_a_text_tag_that_holds_a_number_spoils_nothing(tmp_path, tag, kind, body, name):
    path = saved(tmp_path, Image.fromarray(levels()), name, exif=exif_with(tag, kind, body))
    assert rewritten(tmp_path, path).size == (7, 5)


def test_a_palette_image_without_its_palette_is_damaged(tmp_path):
    path = saved(tmp_path, Image.fromarray(levels(4, 4, 1)[..., 0]).convert("P"))
    data = path.read_bytes()
    start = data.index(b"PLTE") - 4
    (length,) = struct.unpack(">I", data[start : start + 4])
    path.write_bytes(data[:start] + data[start + 12 + length :])
    with pytest.raises(DataError, match=r"image\.png: is damaged"):
        read_image(path)


@pytest.mark.parametrize(("tag", "kind"), [(34675, 4), (34675, 12), (700, 4), (700, 3), (33723, 4)])
def test_metadata_of_a_wrong_type_in_a_tiff_are_left_out(tmp_path, tag, kind):
    values = levels(3, 5, 1)[..., 0]
    entries = [(256, 3, 5), (257, 3, 3), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 3, 8), (278, 3, 3), (279, 3, 15)]
    body = values.tobytes() + b"\0"
    directory = struct.pack("<H", len(entries) + 1)
    for each, form, value in sorted([*entries, (tag, kind, 0)]):
        count = 7 if each == tag else 1
        directory += struct.pack("<HHII", each, form, count, 8 if each == tag else value)
    path = tmp_path / "image.tif"
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8 + len(body)) + body + directory + bytes(4))
    image = read_image(path)
    assert np.array_equal((image.color[0] * 255).round(), values)
    assert reopened(write_image(tmp_path / "out.png", image.color, image)).size == (5, 3)


@pytest.mark.parametrize("scale", [2, 4, 2.5])
def test_alpha_is_resized_as_the_method_resizes_colors(scale):
    """In strips of any height, as it is asked for row by row."""
    alpha = (torch.rand(1, 9, 8, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    wanted = (math.ceil(9 * scale), math.ceil(8 * scale))
    for kind in (Nearest, Bilinear, Bicubic, Lanczos):
        method = kind(UpscalingSettings()).with_options(predict=UpscalingPredictOptions(scale=scale))
        expected = method.upscale(alpha.expand(3, -1, -1)[None], scale)[0, :1].clamp(0, 1)
        for height in (1, 5, 100):
            strips = [
                method.resize_alpha_rows(
                    lambda first, last: alpha[:, first:last], (9, 8), wanted, first, min(first + height, wanted[0])
                )
                for first in range(0, wanted[0], height)
            ]
            torch.testing.assert_close(torch.cat(strips, 1), expected, rtol=0, atol=1e-6)
        if kind is Nearest:
            assert set(expected.unique().tolist()) == {0.0, 1.0}
