"""Small and large images that show the same thing."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from restore.core.dataset import ImageDataset
from restore.core.errors import DataError, UsageError
from restore.core.settings import RunSettings
from restore.plugins.common.images.folders import ImageFolder
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.super_resolution import dataset
from restore.plugins.common.super_resolution.dataset import (
    CroppedPairs,
    WholePairs,
    evaluation_pairs,
    super_resolution_images,
)


def drawn(height: int, width: int, seed: int = 0, mode: str = "RGB") -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(levels).convert(mode)


def folder_of(folder: Path, *sizes: tuple[int, int], mode: str = "RGB") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, size in enumerate(sizes):
        drawn(*size, seed=number, mode=mode).save(folder / f"{number}.png")
    return folder


def paired_folder(folder: Path, scale: int, *sizes: tuple[int, int]) -> Path:
    """LR images whose every pixel became a block of equal HR pixels: misalignment by one pixel shows."""
    (folder / "HR").mkdir(parents=True)
    folder_of(folder / "LR", *sizes)
    for path in (folder / "LR").iterdir():
        blocks = np.kron(np.asarray(Image.open(path)), np.ones((scale, scale, 1), dtype=np.uint8))
        Image.fromarray(blocks).save(folder / "HR" / path.name)
    return folder


def levels(image: Tensor) -> Tensor:
    return (image * 255).round().byte()


def run(**settings: object) -> RunSettings:
    return RunSettings.model_validate(settings)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_training_input_is_the_crop_made_small(tmp_path: Path, scale: int) -> None:
    files = sorted(folder_of(tmp_path, (40, 31), (25, 24)).iterdir())
    images = CroppedPairs(ImageFolder(files), scale, 24)
    assert isinstance(images, ImageDataset)
    for index in (0, 1, 0):
        sample = images[index]
        assert sample["input"].shape == (3, 24 // scale, 24 // scale)
        assert sample["target"].dtype == torch.float32
        assert torch.equal(imresize(levels(sample["target"]), 1 / scale), levels(sample["input"]))


def test_a_training_target_is_a_part_of_its_image_in_one_of_eight_views(tmp_path: Path) -> None:
    (file,) = folder_of(tmp_path, (9, 11)).iterdir()
    whole = ImageFolder([file])[0]
    views = {}
    for top, left, flip, turns in product(range(2), range(4), (False, True), range(4)):
        part = whole[:, top : top + 8, left : left + 8]
        view = (part.flip(-1) if flip else part).rot90(turns, (-2, -1))
        views[view.contiguous().numpy().tobytes()] = (flip, turns, top, left)
    torch.manual_seed(0)
    images = CroppedPairs(ImageFolder([file]), 2, 8)
    seen = {views[levels(images[0]["target"]).numpy().tobytes()] for _ in range(600)}
    assert len(seen) == 64  # every corner in every view, and nothing else
    straight = CroppedPairs(ImageFolder([file]), 2, 8, augment=False)
    assert {views[levels(straight[0]["target"]).numpy().tobytes()][:2] for _ in range(40)} == {(False, 0)}


def test_random_numbers_come_from_the_global_generator_alone(tmp_path: Path) -> None:
    images = CroppedPairs(ImageFolder(list(folder_of(tmp_path, (40, 40)).iterdir())), 2, 16)

    def sample(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return images[0]["target"]

    assert torch.equal(sample(1), sample(1))
    assert any(not torch.equal(sample(1), sample(seed)) for seed in range(2, 6))


def test_crops_of_pairs_are_aligned_whatever_the_turn(tmp_path: Path) -> None:
    images = super_resolution_images("train", run(data=paired_folder(tmp_path, 3, (9, 12), (8, 8))), scale=3, crop=12)
    for _ in range(30):
        sample = images[0]
        blocks = sample["input"].repeat_interleave(3, -1).repeat_interleave(3, -2)
        assert torch.equal(blocks, sample["target"])


def test_a_validation_image_loses_what_the_scale_does_not_divide(tmp_path: Path) -> None:
    (file,) = folder_of(tmp_path, (18, 23)).iterdir()
    sample = WholePairs(ImageFolder([file]), 4)[0]
    whole = ImageFolder([file])[0]
    assert torch.equal(levels(sample["target"]), whole[:, :16, :20])
    assert torch.equal(levels(sample["input"]), imresize(whole[:, :16, :20], 1 / 4))


def test_a_gray_target_has_one_channel_and_its_input_three(tmp_path: Path) -> None:
    (file,) = folder_of(tmp_path, (16, 16), mode="L").iterdir()
    sample = WholePairs(ImageFolder([file]), 2)[0]
    assert sample["target"].shape == (1, 16, 16)
    assert sample["input"].shape == (3, 8, 8)
    assert CroppedPairs(ImageFolder([file]), 2, 8)[0]["target"].shape == (3, 8, 8)


def test_a_scale_with_a_fraction_gives_pairs_that_fit(tmp_path: Path) -> None:
    pairs = evaluation_pairs(folder_of(tmp_path, (37, 52)), 2.5)
    sample = pairs[0]
    upscaled = imresize(sample["input"], 2.5)
    assert upscaled.shape == sample["target"].shape
    assert doctest.testmod(dataset).failed == 0


def test_the_scale_is_read_from_pairs(tmp_path: Path) -> None:
    assert evaluation_pairs(paired_folder(tmp_path, 3, (5, 4), (6, 7)), None).scale == 3


def test_pairs_may_be_named_as_those_of_div2k(tmp_path: Path) -> None:
    for path in sorted((paired_folder(tmp_path, 3, (5, 4), (6, 7)) / "LR").iterdir()):
        path.rename(path.with_name(f"{path.stem}x3.png"))
    pairs = evaluation_pairs(tmp_path, None)
    assert (pairs.scale, [pairs.name(index) for index in range(2)]) == (3, ["0.png", "1.png"])


def test_another_scale_than_that_of_the_pairs_is_refused(tmp_path: Path) -> None:
    data = paired_folder(tmp_path, 3, (16, 16), (16, 16))
    for attempt in (
        lambda: evaluation_pairs(data, 2),
        lambda: super_resolution_images("train", run(data=data), scale=2, crop=8),
        lambda: super_resolution_images("validation", run(data=data), scale=2, crop=8),
    ):
        with pytest.raises(UsageError, match="have scale 3, not 2"):
            attempt()


def test_folders_that_were_swapped_are_told_of(tmp_path: Path) -> None:
    folder = paired_folder(tmp_path, 2, (16, 20), (24, 16))
    (folder / "LR").rename(folder / "large")
    (folder / "HR").rename(folder / "LR")
    (folder / "large").rename(folder / "HR")
    with pytest.raises(UsageError, match=r"HR: the targets are smaller than the inputs in .*LR; are the .* swapped"):
        evaluation_pairs(folder, None)


def test_a_pair_that_does_not_fit_is_named(tmp_path: Path) -> None:
    data = paired_folder(tmp_path, 2, (8, 8), (8, 8), (8, 8))
    drawn(16, 15).save(data / "HR" / "1.png")
    with pytest.raises(DataError, match=r"HR.1\.png: 15x16 pixels is not 2 times 8x8, the size of .*LR.1\.png"):
        evaluation_pairs(data, None)


def test_large_images_alone_need_a_scale(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--scale"):
        evaluation_pairs(folder_of(tmp_path, (8, 8)), None)


def test_images_smaller_than_a_crop_are_named_before_training(tmp_path: Path) -> None:
    data = folder_of(tmp_path, (32, 32), (32, 15), (1, 1), (32, 32))
    targets = ImageFolder(sorted(data.iterdir()))
    with pytest.raises(DataError, match=r"16x16.*1\.png \(15x32\).*2\.png \(1x1\)"):
        CroppedPairs(targets, 2, 16)
    with pytest.raises(DataError, match=r"2x2.*2\.png \(1x1\)"):
        WholePairs(targets, 2)


def test_a_crop_that_is_no_multiple_of_the_scale_is_refused(tmp_path: Path) -> None:
    targets = ImageFolder(list(folder_of(tmp_path, (32, 32)).iterdir()))
    with pytest.raises(UsageError, match="--crop-size 16 is not a multiple"):
        CroppedPairs(targets, 3, 16)


def names(images: CroppedPairs | WholePairs) -> set[str]:
    return {images.name(index) for index in range(len(images))}


@pytest.mark.parametrize("make", [folder_of, lambda folder, *sizes: paired_folder(folder, 2, *sizes)])
def test_a_share_of_a_folder_is_held_out(tmp_path: Path, make: Callable[..., Path]) -> None:
    data = make(tmp_path / "data", *[(16, 16)] * 10)
    settings = run(data=data, val_fraction=0.3, seed=5)
    train = names(super_resolution_images("train", settings, scale=2, crop=8))
    validation = names(super_resolution_images("validation", settings, scale=2, crop=8))
    assert len(validation) == 3
    assert not train & validation
    assert train | validation == {f"{number}.png" for number in range(10)}


def test_validation_data_of_its_own_leaves_all_the_rest_to_training(tmp_path: Path) -> None:
    settings = run(data=folder_of(tmp_path / "a", (16, 16)), val_data=folder_of(tmp_path / "b", (16, 16), (16, 16)))
    assert len(super_resolution_images("train", settings, scale=2, crop=8)) == 1
    assert len(super_resolution_images("validation", settings, scale=2, crop=8)) == 2


def test_without_a_folder_there_are_the_sample_photographs(tmp_path: Path) -> None:
    assert "astronaut" in names(super_resolution_images("train", run(), scale=4, crop=96))
    assert names(super_resolution_images("validation", run(), scale=4, crop=96)) == {"chelsea", "coffee", "rocket"}
    own = run(val_data=folder_of(tmp_path, (16, 16)))
    assert names(super_resolution_images("validation", own, scale=4, crop=96)) == {"0.png"}
    assert evaluation_pairs(None, 4).scale == 4


def test_images_in_memory_say_so(tmp_path: Path) -> None:
    files = list(folder_of(tmp_path, (16, 16), (16, 16)).iterdir())
    assert CroppedPairs(ImageFolder(files), 2, 8).in_memory
    assert not CroppedPairs(ImageFolder(files, memory=1000), 2, 8).in_memory
    assert not WholePairs(ImageFolder(files, memory=1000), 2).in_memory


@pytest.mark.parametrize("content", [[], ["notes.txt"]])
def test_a_folder_without_images_is_refused(tmp_path: Path, content: list[str]) -> None:
    for name in content:
        (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match="no images"):
        super_resolution_images("train", run(data=tmp_path), scale=2, crop=8)
