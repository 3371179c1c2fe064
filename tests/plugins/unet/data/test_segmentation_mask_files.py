"""What the values of mask files are taken for."""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from image_files import chunk
from PIL import Image
from segmentation_files import image, mask, square

from restore.core.errors import DataError
from restore.plugins.common.masks.values import is_foreground, read_values
from restore.plugins.unet.data.splits import read_source, sources
from restore.plugins.unet.settings import ModelSettings, UNetSettings

MODEL = ModelSettings(classes=["nucleus"], size=None, fit="crop")


def test_a_color_image_is_no_mask(flat: Path) -> None:
    image(flat / "masks" / "cell1.png")
    with pytest.raises(DataError, match="color image"):
        read_source(flat, MODEL).read(0)


@pytest.mark.parametrize("end", [0, 40, -30])
def test_a_damaged_mask_is_named(flat: Path, end: int) -> None:
    path = flat / "masks" / "cell1.png"
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(DataError, match=r"cell1.png: is (empty|.*damaged)"):
        read_source(flat, MODEL).read(0)


def test_a_mask_is_opened_as_carefully_as_an_image(flat: Path) -> None:
    drawing = flat / "masks" / "cell1.png"
    drawing.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 12\n")
    with pytest.raises(DataError, match="is a PostScript document"):
        read_source(flat, MODEL).read(0)
    shutil.copy(flat / "masks" / "cell2.png", drawing)
    Image.new("1", (20_000, 20_000)).save(flat / "masks" / "cell2.png")
    with pytest.raises(DataError, match="too large"):
        read_source(flat, MODEL).read(1)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_index_masks_are_recognized_and_counted(flat: Path, mode: str) -> None:
    values = square(2)
    values[8:10] = 1
    values[0] = 255
    for path in (flat / "masks").iterdir():
        image = Image.fromarray(values)
        if mode == "P":
            image = image.convert("P")
            image.putdata(values.reshape(-1))
        image.save(path)
    settings = UNetSettings(data=flat).resolved()
    assert settings.model.multiclass
    assert settings.model.classes == ["0", "1", "2"]
    assert settings.mask_encoding == "index"
    assert settings.loss[0].name == "unet/cross-entropy-dice"
    _, numbers = read_source(flat, settings.model).read(0)
    assert numbers.unique().tolist() == [0, 1, 2, 255]
    with pytest.raises(DataError, match="class number 2, but there are 2 classes"):
        read_source(flat, ModelSettings(classes=["x", "y"], multiclass=True)).read(0)


def test_one_class_beside_unknown_pixels_is_a_class_number(flat: Path) -> None:
    values = square(1)
    values[0] = 255
    mask(flat / "masks" / "cell1.png", values)
    for name in ("cell2", "cell10"):
        mask(flat / "masks" / f"{name}.png", square(1))
    settings = UNetSettings(data=flat).resolved()
    assert settings.model.multiclass
    assert settings.model.classes == ["0", "1"]


@pytest.mark.parametrize("white", [1, 255])
def test_binary_masks_are_zeros_and_ones_or_black_and_white(flat: Path, white: int) -> None:
    for path in (flat / "masks").iterdir():
        mask(path, square(white))
    settings = UNetSettings(data=flat).resolved()
    assert not settings.model.multiclass
    assert settings.model.classes == ["foreground"]
    assert read_source(flat, settings.model).read(0)[1].sum() == 24


def test_soft_edges_are_cut_at_half_and_no_class_numbers(flat: Path) -> None:
    values = square()
    values[2, 3:6], values[3, 3:6] = 100, 140
    mask(flat / "masks" / "cell1.png", values)
    settings = UNetSettings(data=flat).resolved()
    assert not settings.model.multiclass
    assert read_source(flat, settings.model).read(0)[1].sum() == 21


@pytest.mark.parametrize("white", [1, 255, 65_535])
def test_sixteen_bit_masks_are_read(tmp_path: Path, white: int) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(square(1).astype(np.uint16) * white).save(path)
    assert is_foreground(read_values(path)).sum() == 24


def test_floating_point_masks_are_cut_at_half(tmp_path: Path) -> None:
    path = tmp_path / "mask.tif"
    values = square(1).astype(np.float32)
    values[0, :5] = 0.3
    Image.fromarray(values).save(path)
    assert is_foreground(read_values(path)).sum() == 24


@pytest.mark.parametrize("palette", [[0, 0, 0, 255, 255, 255], [255, 255, 255, 0, 0, 0]])
def test_black_and_white_by_a_palette_are_black_and_white(tmp_path: Path, palette: list[int]) -> None:
    path = tmp_path / "mask.png"
    indices = square(1) if palette[0] == 0 else 1 - square(1)
    image = Image.new("P", (16, 12))
    image.putpalette(palette)
    image.putdata(indices.reshape(-1).tolist())
    image.save(path)
    assert read_values(path).max() == 1
    assert (is_foreground(read_values(path, tones=True)) == square(1)).all()


def test_class_numbers_are_indices_whatever_their_colors(flat: Path) -> None:
    for name, most in (("cell1", 2), ("cell2", 1), ("cell10", 1)):
        values = square(1)
        values[0] = most
        values[-1] = 255  # beyond the palette of the file
        rows = b"".join(b"\0" + row.tobytes() for row in values)
        palette = bytes([0, 0, 0, 255, 255, 255, 255, 0, 0])
        chunks = (
            ("IHDR", struct.pack(">IIBBBBB", 16, 12, 8, 3, 0, 0, 0)),
            ("PLTE", palette),
            ("IDAT", zlib.compress(rows)),
        )
        content = b"".join(chunk(kind.encode(), data) for kind, data in (*chunks, ("IEND", b"")))
        (flat / "masks" / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    settings = UNetSettings(data=flat).resolved()
    assert settings.model.classes == ["0", "1", "2"]
    source = read_source(flat, settings.model)
    assert source.read(1)[1].unique().tolist() == [0, 1, 255]


def test_a_soiled_pixel_makes_no_class_numbers(flat: Path) -> None:
    values = square(255)
    values[0, 0] = 1
    mask(flat / "masks" / "cell1.png", values)
    assert not UNetSettings(data=flat).resolved().model.multiclass


def test_masks_that_mark_nothing_are_told_of(flat: Path) -> None:
    for path in (flat / "masks").iterdir():
        mask(path, square(100))
    settings = UNetSettings(data=flat, mask_encoding="binary").resolved()
    with pytest.raises(DataError, match=r"all masks are empty, such as .*cell1.png"):
        sources(settings)
