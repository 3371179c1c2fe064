"""What is white in mask files of every kind, and which file is whose mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from restore.core.errors import UsageError
from restore.core.images.files import read_image
from restore.plugins.common.masks.folders import MaskFolder, why_no_hole
from restore.plugins.common.masks.paint import PaintNoise, count_left_at_rim, find_color, find_painted
from restore.plugins.common.masks.reading import (
    dilate,
    folder_white,
    mask_of,
    read_mask,
)

MARKED = np.zeros((6, 4), np.uint8)
MARKED[:2, :3] = 1
HOLE = torch.from_numpy(MARKED).float()[None]


def saved(path: Path, levels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels).save(path)
    return path


def with_palette(path: Path, indices: np.ndarray, *colors: tuple[int, int, int]) -> Path:
    image = Image.fromarray(indices).convert("P")
    image.putdata(indices.reshape(-1).tolist())
    image.putpalette([level for color in colors for level in color])
    image.save(path)
    return path


@pytest.mark.parametrize("white", [1, 200, 255, 65_535])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_values_of_gray_masks_say_what_is_white(tmp_path: Path, white: int, dtype: type) -> None:
    if white > np.iinfo(dtype).max:
        white = np.iinfo(dtype).max
    path = saved(tmp_path / "mask.png", MARKED.astype(dtype) * white)
    assert torch.equal(read_mask(path), HOLE)
    assert torch.equal(read_mask(path, "black-hole"), 1 - HOLE)


def test_a_gray_mask_saved_in_color_is_read_alike(tmp_path: Path) -> None:
    path = saved(tmp_path / "mask.png", np.stack([MARKED] * 3, axis=-1))
    assert torch.equal(read_mask(path), HOLE)


@pytest.mark.parametrize(
    ("indices", "colors"),
    [
        (MARKED, [(0, 0, 0), (255, 255, 255)]),
        (1 - MARKED, [(255, 255, 255), (0, 0, 0)]),
        (MARKED, [(0, 0, 0), (1, 1, 1)]),
        (MARKED, [(0, 0, 0), (128, 0, 0)]),  # a class number, as Pascal VOC paints it
        (1 - MARKED, [(255, 255, 255), (0, 0, 90)]),
        (MARKED * np.array([[1, 2, 1, 1]], np.uint8), [(0, 0, 0), (128, 0, 0), (224, 224, 192)]),  # two of them
    ],
)
def test_palettes_of_any_order_are_looked_up(
    tmp_path: Path, indices: np.ndarray, colors: list[tuple[int, int, int]]
) -> None:
    assert torch.equal(read_mask(with_palette(tmp_path / "mask.png", indices, *colors)), HOLE)


def test_a_color_is_white_that_is_nearer_to_white(tmp_path: Path) -> None:
    levels = np.zeros((6, 4, 3), np.uint8)
    levels[MARKED > 0], levels[5] = (255, 200, 90), (120, 0, 0)
    assert torch.equal(read_mask(saved(tmp_path / "mask.png", levels)), HOLE)


@pytest.mark.parametrize("channels", [2, 4])
def test_what_is_painted_on_a_transparent_layer_is_the_hole(tmp_path: Path, channels: int) -> None:
    levels = np.zeros((6, 4, channels), np.uint8)
    levels[MARKED > 0] = 255
    levels[5, 0, :-1], levels[5, 0, -1] = 255, 40  # next to invisible
    assert torch.equal(read_mask(saved(tmp_path / "mask.png", levels)), HOLE)


def test_a_mask_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "mask.png"
    Image.fromarray(MARKED).save(path, exif=exif)
    assert torch.equal(read_mask(path), HOLE.rot90(-1, (-2, -1)))


def test_the_mask_of_an_image_has_its_name_and_only_one_has(tmp_path: Path) -> None:
    image, masks = Path("photographs/a.png"), tmp_path / "masks"
    jpg = saved(masks / "a.jpg", MARKED)
    assert mask_of(image, masks) == jpg
    png = saved(masks / "a.png", MARKED)
    assert mask_of(image, masks) == png
    with pytest.raises(UsageError, match=r".a\.jpg or a\.png.; keep one"):
        mask_of(Path("a.tif"), masks)


def test_hidden_folders_hold_no_masks_at_any_depth(tmp_path: Path) -> None:
    shown = [saved(tmp_path / "masks" / name, MARKED) for name in ("a.png", "inner/b.png")]
    for name in (".Trash/old/c.png", "inner/.checkpoints/x/d.png"):
        saved(tmp_path / "masks" / name, MARKED)
    assert MaskFolder(tmp_path / "masks").files == shown
    hidden = saved(tmp_path / ".cache" / "masks" / "e.png", MARKED)
    assert MaskFolder(hidden.parent).files == [hidden]  # what was asked for by name


def test_masks_that_mark_nothing_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.png", "b.png"):
        saved(tmp_path / name, MARKED * 100)
    MaskFolder(tmp_path)
    assert "the masks contain no hole (for example a.png)" in caplog.text
    assert "--mask-polarity black-hole" in caplog.text


def test_a_mask_that_leaves_nothing_known_is_passed_over_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.png", "c.png"):
        saved(tmp_path / name, np.full((6, 4), 255, np.uint8))
    for name in ("b.png", "d.png"):
        saved(tmp_path / name, 255 * MARKED)
    masks = MaskFolder(tmp_path)
    found: list[Tensor] = [masks.read_resized(index, 6, 4) for index in (0, 1, 2, 3, 0)]
    assert all(torch.equal(mask, HOLE) for mask in found)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [str(tmp_path / "a.png")]


@pytest.mark.parametrize(("quality", "subsampling"), [(95, 0), (90, 2), (75, 2), (50, 2)])
def test_paint_in_a_jpeg_is_found_with_its_soiled_rim(tmp_path: Path, quality: int, subsampling: int) -> None:
    y, x = np.mgrid[:96, :128]
    levels = np.stack([90 + x // 2, 120 + y // 2, 60 + (x + y) // 4], axis=-1).astype(np.uint8)
    painted = (y - 48) ** 2 + (x - 60) ** 2 < 30**2
    levels[painted] = (255, 0, 255)
    path = tmp_path / "photo.jpg"
    Image.fromarray(levels).save(path, quality=quality, subsampling=subsampling)
    image = read_image(path).color
    paint = torch.from_numpy(painted).float()[None]
    found = find_painted(image, (255, 0, 255), 40)
    strict = find_color(image, (255, 0, 255), 40)
    assert (found * paint).sum() >= max(0.995 * paint.sum(), (strict * paint).sum())
    assert torch.equal(dilate(found, 2) * paint, paint)
    assert not (found * (1 - dilate(paint, 4))).any()
    assert count_left_at_rim(image, dilate(found, 2), slice(None), (255, 0, 255), 40) == 0
    half = paint * torch.from_numpy(x > 60)
    assert count_left_at_rim(image, half, slice(None), (255, 0, 255), 40) > 0


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("color", [(255, 0, 255), (0, 255, 0), (255, 255, 255)])
def test_noise_of_compression_around_a_wide_hole_is_seen(
    tmp_path: Path, color: tuple[int, int, int], subsampling: int
) -> None:
    y, x = np.mgrid[:120, :160]
    grain = np.random.default_rng(0).normal(0, 1.5, (120, 160, 1))
    clean = np.stack([90 + x / 2, 120 + y / 2, 60 + (x + y) / 4], axis=-1) + grain
    distance = np.hypot(y - 60, x - 75)
    for name, painted, dilated, shows in (
        ("wide.jpg", distance < 30, 2, True),
        ("wide.jpg", distance < 30, 10, False),
        ("wide.png", distance < 30, 2, False),
        ("thin.jpg", np.abs(distance - 30) < 2, 2, False),
    ):
        levels = np.where(painted[..., None], color, clean).astype(np.uint8)
        options = {"quality": 75, "subsampling": subsampling} if name.endswith("jpg") else {}
        Image.fromarray(levels).save(tmp_path / name, **options)
        image = read_image(tmp_path / name).color
        noise, mask = PaintNoise(color), dilate(torch.from_numpy(painted).float()[None], dilated)
        for first in (0, 50, 100):  # in strips, with what lies around them
            top, bottom = max(0, first - 26), min(120, first + 50 + 26)
            own = slice(first - top, min(first + 50, 120) - top)
            noise.add(image[:, top:bottom], mask[:, top:bottom], own)
        assert noise.shows is shows, (name, dilated, noise)


def test_without_a_tolerance_the_color_alone_counts() -> None:
    image = torch.tensor([[255, 0, 255], [254, 0, 255], [250, 0, 255]]).T[:, None] / 255
    assert find_painted(image, (255, 0, 255), 0).flatten().tolist() == [1, 0, 0]


@pytest.mark.parametrize("suffix", ["", "_mask", "-mask", "_segmentation", "_gt"])
def test_one_rule_names_the_masks_of_all_tasks(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"photo{suffix}.png", 255 * MARKED)
    assert mask_of(Path("photo.jpg"), tmp_path) == path


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_strokes_on_a_transparent_ground_are_the_hole_if_black_marks_it(tmp_path: Path, suffix: str) -> None:
    levels = np.zeros((6, 4, 4), np.uint8)
    levels[..., 3] = 255 * MARKED
    path = saved(tmp_path / f"strokes.{suffix}", levels)
    assert not read_mask(path).any()
    assert torch.equal(read_mask(path, "black-hole"), HOLE)
    assert "all that is visible of it is black" in why_no_hole(path, "white-hole")
    assert "--mask-polarity black-hole" in why_no_hole(path, "white-hole")


def test_one_means_the_same_in_all_masks_of_a_folder(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", MARKED)
    assert folder_white([tmp_path / "a.png"]) == 1
    saved(tmp_path / "b.png", 255 * MARKED)
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    assert folder_white(files) == 255
    assert not read_mask(files[0], white=255).any()
    assert torch.equal(read_mask(files[1], white=255), HOLE)
