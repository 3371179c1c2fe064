"""Masks of folders, and the images with holes that are trained and measured on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.settings import RunSettings
from restore.plugins.common.inpainting.dataset import evaluation_images, inpainting_images
from restore.plugins.common.masks.folders import MaskFolder
from restore.plugins.common.masks.reading import read_mask
from restore.plugins.common.masks.settings import KINDS, MaskSettings


def saved(path: Path, levels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels).save(path)
    return path


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    for index in range(4):
        levels = np.random.default_rng(index).integers(0, 256, (30 + index, 40, 3), dtype=np.uint8)
        saved(tmp_path / "photographs" / f"{index}.png", levels)
    return tmp_path / "photographs"


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Three masks of other sizes, one of them in a folder of its own: a half, a quarter, an eighth is white."""
    for name, height, width, columns in (("a.png", 16, 8, 4), ("b.png", 50, 40, 10), ("inner/c.png", 8, 16, 2)):
        levels = np.zeros((height, width), dtype=np.uint8)
        levels[:, :columns] = 255
        saved(tmp_path / "masks" / name, levels)
    return tmp_path / "masks"


def drawn(sample: dict[str, Tensor]) -> float:
    return float(sample["mask"].mean())


def test_a_training_sample_is_a_crop_that_is_black_in_a_hole(photographs: Path) -> None:
    images = inpainting_images("train", RunSettings(data=photographs), MaskSettings(coverage=(0.2, 0.3)), 24)
    torch.manual_seed(0)
    samples = [images[index % len(images)] for index in range(12)]
    for sample in samples:
        assert {name: tuple(plane.shape) for name, plane in sample.items()} == {
            "input": (3, 24, 24),
            "mask": (1, 24, 24),
            "target": (3, 24, 24),
            "kind": (),
        }
        assert torch.equal(sample["input"], sample["target"] * (1 - sample["mask"]))
        assert 0.18 <= drawn(sample) <= 0.32
    assert len({int(sample["kind"]) for sample in samples}) > 3
    assert len({drawn(sample) for sample in samples}) > 4
    torch.manual_seed(0)
    again = images[0]
    assert all(torch.equal(again[name], samples[0][name]) for name in again)


def test_training_and_validation_are_different_images(photographs: Path) -> None:
    settings = RunSettings(data=photographs, val_fraction=0.25)
    names = [
        {images.name(index).partition(",")[0] for index in range(len(images))}
        for images in (inpainting_images(split, settings, MaskSettings(), 16) for split in ("train", "validation"))
    ]
    assert sorted(map(len, names)) == [1, 3]
    assert not names[0] & names[1]


def test_validation_shows_every_kind_at_shares_that_differ_and_is_always_the_same() -> None:
    wanted = MaskSettings(coverage=(0.1, 0.5))
    images = inpainting_images("validation", RunSettings(), wanted, 16, window=48)
    samples = [images[index] for index in range(len(images))]
    kinds = [int(sample["kind"]) for sample in samples]
    assert set(kinds) == set(range(len(KINDS)))
    assert len({images.name(index) for index in range(len(images))}) == len(images)
    coverages = sorted(drawn(sample) for sample in samples)
    assert coverages[0] < 0.2
    assert coverages[-1] > 0.4
    assert all(sample["target"].shape == (3, 48, 48) for sample in samples)
    torch.manual_seed(5)
    other = inpainting_images("validation", RunSettings(), wanted, 16, window=48)
    assert all(torch.equal(other[index]["mask"], samples[index]["mask"]) for index in range(len(samples)))


def test_small_images_cannot_be_cropped_but_can_be_validated_on(photographs: Path) -> None:
    settings = RunSettings(data=photographs)
    with pytest.raises(DataError, match=r"needs 31x31 pixels: .*0\.png"):
        inpainting_images("train", settings.model_copy(update={"val_data": photographs}), MaskSettings(), 31)
    assert inpainting_images("validation", settings, MaskSettings(), 31)[0]["target"].shape[-1] in range(30, 34)


def test_masks_of_a_folder_are_used_at_the_size_of_the_crop(photographs: Path, masks: Path) -> None:
    settings = RunSettings(data=photographs)
    images = inpainting_images("train", settings, MaskSettings(folder=masks), 16)
    torch.manual_seed(0)
    samples = [images[0] for _ in range(40)]
    assert {drawn(sample) for sample in samples} == {1 / 2, 1 / 4, 1 / 8}
    assert {int(sample["kind"]) for sample in samples} == {-1}
    assert {bool(sample["mask"][0, 0, 0]) for sample in samples} == {True, False}  # flipped or not
    fixed = inpainting_images("validation", settings, MaskSettings(folder=masks), 16, window=16)
    assert [drawn(fixed[index]) for index in range(3)] == [1 / 2, 1 / 4, 1 / 8]


def test_masks_beside_the_images_are_put_over_any_of_them(photographs: Path, masks: Path, tmp_path: Path) -> None:
    photographs.rename(tmp_path / "images")
    images = inpainting_images("train", RunSettings(data=tmp_path), MaskSettings(), 16)
    torch.manual_seed(0)
    assert {drawn(images[0]) for _ in range(40)} == {1 / 2, 1 / 4, 1 / 8}
    wanted = MaskSettings(folder=masks / "inner")
    assert drawn(inpainting_images("train", RunSettings(data=tmp_path), wanted, 16)[0]) == 1 / 8


def test_validation_images_bring_their_own_masks(photographs: Path, masks: Path, tmp_path: Path) -> None:
    for path in photographs.iterdir():
        saved(tmp_path / "own" / "images" / path.name, np.array(Image.open(path)))
    levels = np.zeros((8, 8), dtype=np.uint8)
    levels[0] = 255
    saved(tmp_path / "own" / "masks" / "rows.png", levels)
    photographs.rename(tmp_path / "images")
    for data in (tmp_path, tmp_path / "images"):
        run = RunSettings(data=data, val_data=tmp_path / "own")
        own = inpainting_images("validation", run, MaskSettings(), 16, window=16)
        assert {drawn(own[index]) for index in range(len(own))} == {1 / 8}
        assert own[0]["mask"][0, 0].all()
        other = inpainting_images("validation", run, MaskSettings(folder=masks), 16, window=16)
        assert drawn(other[0]) == 1 / 2


def test_two_sources_of_holes_at_once_are_refused(photographs: Path, masks: Path, tmp_path: Path) -> None:
    photographs.rename(tmp_path / "images")
    for wanted, flag in ((MaskSettings(kinds=["border"]), "kinds"), (MaskSettings(coverage=(0.2, 0.3)), "coverage")):
        for split in ("train", "validation"):
            with pytest.raises(UsageError, match=rf"--masks\.{flag} conflicts with the masks in .*masks"):
                inpainting_images(split, RunSettings(data=tmp_path), wanted, 16)
        with pytest.raises(UsageError, match=rf"--masks\.{flag} conflicts"):
            evaluation_images(tmp_path, wanted)
    with pytest.raises(UsageError, match="--masks conflicts"):
        evaluation_images(tmp_path, MaskSettings(folder=masks / "inner"))
    with pytest.raises(UsageError, match="no mask of the same name"):  # the very ones, which do not fit here
        evaluation_images(tmp_path, MaskSettings(folder=tmp_path / "images" / ".." / "masks"))


def test_an_image_without_room_for_a_hole_is_named(photographs: Path) -> None:
    saved(photographs / "dot.png", np.zeros((1, 1, 3), dtype=np.uint8))
    with pytest.raises(DataError, match=r"needs 2x2 pixels: .*dot\.png \(1x1\)"):
        evaluation_images(photographs)


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_the_two_polarities_are_each_others_opposite(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    levels = data.draw(st.lists(st.lists(st.integers(0, 255), min_size=4, max_size=4), min_size=1, max_size=6))
    # Neither the mask nor its negative may be one of zeros and ones, where one is white.
    assume(np.max(levels) > 1 and np.min(levels) < 254)
    path = saved(tmp_path_factory.mktemp("mask") / "mask.png", np.array(levels, dtype=np.uint8))
    white, black = read_mask(path), read_mask(path, "black-hole")
    assert torch.equal(white + black, torch.ones_like(white))
    inverted = saved(path.with_name("inverted.png"), 255 - np.array(levels, dtype=np.uint8))
    assert torch.equal(read_mask(inverted, "black-hole"), white)


def test_a_set_that_seems_inverted_is_warned_of_once_and_names_the_flag(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    levels = np.full((8, 8), 255, dtype=np.uint8)
    levels[2:4, 2:4] = 0
    for index in range(3):
        saved(tmp_path / f"{index}.png", levels)
    for _ in range(2):
        MaskFolder(tmp_path)
    assert len(caplog.records) == 1
    assert "94 %" in caplog.text
    assert "--mask-polarity black-hole" in caplog.text
    assert float(MaskFolder(tmp_path, "black-hole").read_resized(0, 8, 8).sum()) == 4
    assert len(caplog.records) == 1


def test_folders_that_cannot_be_masks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        MaskFolder(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no images"):
        MaskFolder(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        MaskFolder(saved(tmp_path / "file.png", np.zeros((4, 4), dtype=np.uint8)))
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"broken\.png"):
        MaskFolder(tmp_path)
    full = saved(tmp_path / "full" / "full.png", np.full((4, 4), 255, dtype=np.uint8))
    with pytest.raises(DataError, match=r"full\.png: this mask and all others cover the whole image"):
        MaskFolder(full.parent).read_resized(0, 4, 4)


def test_settings_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ValidationError, match="above the largest"):
        MaskSettings(coverage=(0.4, 0.1))
    with pytest.raises(ValidationError, match="at least 1 item"):
        MaskSettings(kinds=[])


def test_a_plain_folder_is_measured_with_the_holes_that_were_asked_for(photographs: Path, masks: Path) -> None:
    images = evaluation_images(photographs, MaskSettings(folder=masks))
    assert len(images) == 4
    assert [round(8 * drawn(images[index])) for index in range(4)] == [4, 2, 1, 4]
    assert images[0]["target"].shape == (3, 30, 30)
    only = evaluation_images(photographs, MaskSettings(kinds=["border"]))
    assert {int(only[index]["kind"]) for index in range(len(only))} == {KINDS.index("border")}


def test_images_with_masks_of_their_own_keep_size_and_hole(
    photographs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photographs.rename(tmp_path / "images")
    for index in range(4):
        levels = np.zeros((30 + index, 40), dtype=np.uint8)
        levels[:3] = 255
        saved(tmp_path / "masks" / f"{index}.png", levels)
    images = evaluation_images(tmp_path)
    assert [tuple(images[index]["mask"].shape) for index in range(4)] == [(1, 30 + index, 40) for index in range(4)]
    assert drawn(images[0]) == pytest.approx(0.1)
    assert not caplog.records
    assert drawn(evaluation_images(tmp_path, MaskSettings(polarity="black-hole"))[0]) == pytest.approx(0.9)
    assert "--mask-polarity white-hole" in caplog.text
    caplog.clear()
    for index in range(4):
        saved(tmp_path / "masks" / f"{index}.png", np.full((30 + index, 40), 90, dtype=np.uint8))
    assert drawn(evaluation_images(tmp_path / "masks" / "..")[0]) == 0
    assert "the masks contain no hole" in caplog.text
