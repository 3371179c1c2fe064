"""What the values of masks mean is decided once for a folder, and refused if there are two readings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from restore.core.errors import DataError, UsageError
from restore.plugins.common.masks.encoding import decide
from restore.plugins.common.masks.survey import survey
from restore.plugins.unet.data.dataset import Segments
from restore.plugins.unet.data.splits import read_source, sources
from restore.plugins.unet.otsu import Otsu
from restore.plugins.unet.settings import ModelSettings, UNetSettings


def bands(values: object, height: int = 32, width: int = 24) -> np.ndarray:
    levels = list(values)  # type: ignore[call-overload]
    rows = [levels[row * len(levels) // height] for row in range(height)]
    return np.repeat(np.array(rows)[:, None], width, axis=1).astype(np.uint8)


def dataset(folder: Path, *masks: np.ndarray, suffix: str = "png", **options: object) -> Path:
    for number, mask in enumerate(masks):
        for part, levels in (("images", np.full((*mask.shape, 3), 90 + number, np.uint8)), ("masks", mask)):
            (folder / part).mkdir(parents=True, exist_ok=True)
            ending = "png" if part == "images" else suffix
            Image.fromarray(levels).save(folder / part / f"{number}.{ending}", **(options if part == "masks" else {}))
    return folder


@pytest.mark.parametrize(
    "levels", [(0, 128, 255), (0, 127, 255), (0, 127, 254), (0, 85, 170, 255), (0, 64, 128, 191, 255)]
)
def test_evenly_spaced_grays_are_classes(tmp_path: Path, levels: tuple[int, ...]) -> None:
    folder = dataset(tmp_path, *[bands(levels)] * 4)
    settings = UNetSettings(data=folder).resolved()
    assert settings.mask_encoding == "levels"
    assert settings.model.mask_levels == list(levels)
    assert settings.model.classes == list(map(str, levels))
    assert settings.recipe == f"masks: {len(levels)} classes, values {', '.join(map(str, levels))}"
    _, masks = sources(settings)["train"].read(0)
    assert masks.unique().tolist() == list(range(len(levels)))
    assert UNetSettings.model_validate(settings.model_dump(mode="json")).resolved() == settings


@pytest.mark.parametrize("levels", [range(0, 151, 5), range(0, 255, 2), (0, 100, 255), (0, 70, 90), (0, 200, 201, 202)])
def test_values_with_two_readings_are_refused_until_one_is_chosen(tmp_path: Path, levels: object) -> None:
    values = list(levels)  # type: ignore[call-overload]
    folder = dataset(tmp_path, *[bands(values, 2 * len(values) + 8)] * 4)
    with pytest.raises(DataError, match=r"may be class numbers or gray levels; set --mask-encoding index") as refused:
        UNetSettings(data=folder).resolved()
    assert "the masks hold the values 0, " in str(refused.value)
    assert ("one for each value" in str(refused.value)) is (len(values) <= 64)
    chosen = UNetSettings(data=folder, mask_encoding="index").resolved()
    assert len(chosen.model.classes or []) == max(value for value in values if value < 255) + 1
    assert UNetSettings(data=folder, mask_encoding="binary").resolved().model.classes == ["foreground"]
    if len(values) <= 64:
        assert len(UNetSettings(data=folder, mask_encoding="levels").resolved().model.classes or []) == len(values)


@pytest.mark.parametrize(("mode", "suffix"), [("RGB", "png"), ("RGBA", "png"), ("RGB", "tif"), ("RGB", "bmp")])
def test_masks_of_colors_are_refused_with_the_forms_that_are_taken(tmp_path: Path, mode: str, suffix: str) -> None:
    colors = np.zeros((32, 24, len(mode)), np.uint8)
    colors[:16, :, 0], colors[16:, :, 2] = 128, 128
    folder = dataset(tmp_path, *[colors[..., 0]] * 2)
    for number in range(2):
        (folder / "masks" / f"{number}.png").unlink()
        Image.fromarray(colors).save(folder / "masks" / f"{number}.{suffix}")
    with pytest.raises(DataError, match=r"0\.\w+ is a color image; .* palette .* class numbers"):
        UNetSettings(data=folder).resolved()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_class_numbers_of_any_width_are_counted(tmp_path: Path, dtype: type[np.integer]) -> None:
    tifffile.imwrite(tmp_path / "0.tif", np.arange(12).reshape(3, 4).astype(dtype) % 5, metadata=None)
    assert survey((tmp_path / "0.tif",)).pixels == {0: 3, 1: 3, 2: 2, 3: 2, 4: 2}


def test_a_palette_of_16_bits_is_one(tmp_path: Path) -> None:
    colors = (997 * np.arange(3 * 2**16)).astype(np.uint16).reshape(3, -1)
    values = np.arange(12, dtype=np.uint16).reshape(3, 4)
    tifffile.imwrite(tmp_path / "0.tif", values, photometric="palette", colormap=colors, metadata=None)
    assert survey((tmp_path / "0.tif",)).palette


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_black_and_white_saved_as_jpeg_is_one_class(tmp_path: Path, quality: int) -> None:
    disk = (np.add.outer((np.arange(40) - 20) ** 2, (np.arange(40) - 20) ** 2) < 150).astype(np.uint8) * 255
    folder = dataset(tmp_path, *[disk] * 4, suffix="jpg", quality=quality)
    settings = UNetSettings(data=folder).resolved()
    assert (settings.mask_encoding, settings.mask_white, settings.model.classes) == ("binary", 255, ["foreground"])


def test_soft_edges_and_slopes_are_one_class(tmp_path: Path) -> None:
    y, x = np.mgrid[:64, :64]
    for number, soft in enumerate((np.hypot(x - 32, y - 32), 3 * x + y)):
        values = np.clip(255 - 4 * soft, 0, 255).astype(np.uint8)
        settings = UNetSettings(data=dataset(tmp_path / str(number), *[values] * 4)).resolved()
        assert (settings.mask_encoding, settings.model.classes) == ("binary", ["foreground"])


def test_gray_regions_in_jpeg_files_are_refused_with_the_reason(tmp_path: Path) -> None:
    folder = dataset(tmp_path, *[bands((0, 128, 255), 48, 48)] * 4, suffix="jpg", quality=90)
    with pytest.raises(DataError, match="are JPEG files, whose values are not exact"):
        UNetSettings(data=folder).resolved()


def test_one_means_one_thing_in_the_whole_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ones, usual = np.ones((32, 24), np.uint8), bands((255, 0))
    source = read_source(dataset(tmp_path / "mixed", ones, usual, usual), ModelSettings(classes=["a"], size=None))
    assert [int(source.masks(index).sum()) for index in range(3)] == [0, 16 * 24, 16 * 24]
    assert "0.png holds 1 where other masks hold 255; 1 is black there" in caplog.text
    caplog.clear()
    source = read_source(dataset(tmp_path / "ones", ones, bands((1, 0))), ModelSettings(classes=["a"], size=None))
    assert [int(source.masks(index).sum()) for index in range(2)] == [32 * 24, 16 * 24]
    assert not caplog.records


def test_masks_of_single_classes_are_black_and_white(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        dataset(tmp_path, *[bands((0, 128, 255))] * 2)
        (tmp_path / "masks" / name).mkdir()
        for number in range(2):
            (tmp_path / "masks" / f"{number}.png").rename(tmp_path / "masks" / name / f"{number}.png")
    with pytest.raises(DataError, match="each is the mask of one class, black and white"):
        UNetSettings(data=tmp_path).resolved()


def test_a_palette_holds_numbers_however_many(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    image = Image.fromarray(bands(range(0, 200, 8), 100)).convert("P")
    image.putdata(bands(range(0, 200, 8), 100).reshape(-1).tolist())
    image.putpalette([level for number in range(256) for level in (number, 255 - number, 7)])
    image.save(path)
    assert decide(survey((path,)), tmp_path).kind == "index"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_an_orientation_turns_the_mask_as_it_turns_the_image(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    corner = np.zeros((32, 48), np.uint8)
    corner[:8, :24] = 220
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
        options = {"lossless": True} if suffix == "webp" else {"quality": 100} if suffix == "jpg" else {}
        Image.fromarray(corner).save(tmp_path / part / f"0.{suffix}", exif=exif, **options)
    model = ModelSettings(classes=["a"], size=None, fit="crop")
    sample = Segments(read_source(tmp_path, model), model)[0]
    otsu = Otsu(UNetSettings(model=model)).predict({"input": sample["input"][None]}, None)  # type: ignore[arg-type]
    assert torch.equal(otsu["probability"][0], sample["target"])


def test_an_orientation_of_the_image_alone_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    model = ModelSettings(classes=["a"], size=None)
    square = dataset(tmp_path / "square", np.zeros((16, 16), np.uint8))
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(square / "images" / "0.png", exif=exif)
    read_source(square, model)
    assert "1 image is turned by the EXIF orientation, unlike the file that belongs to it, such as 0.png" in caplog.text
    oblong = dataset(tmp_path / "oblong", np.zeros((16, 24), np.uint8))
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(oblong / "images" / "0.png", exif=exif)
    with pytest.raises(DataError, match=r"the EXIF orientation of 0\.png turns it"):
        read_source(oblong, model)


@pytest.mark.parametrize("names", [("train", "val"), ("training", "validation"), ("Train", "Valid")])
def test_the_parts_of_a_dataset_are_named_with_their_flags(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        dataset(tmp_path / name, bands((0, 255)))
    with pytest.raises(UsageError, match=rf"use --data \S*{names[0]} --val-data \S*{names[1]}"):
        UNetSettings(data=tmp_path).resolved()


@pytest.mark.parametrize("name", ["annotations", "labels"])
def test_masks_in_a_folder_of_another_name_are_found_by_the_message(tmp_path: Path, name: str) -> None:
    dataset(tmp_path, bands((0, 255)))
    (tmp_path / "masks").rename(tmp_path / name)
    with pytest.raises(UsageError, match=f"its masks seem to be in {name}/"):
        UNetSettings(data=tmp_path).resolved()
