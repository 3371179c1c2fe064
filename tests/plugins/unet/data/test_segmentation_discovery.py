"""Images and masks are found, paired, checked and divided."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from segmentation_files import image, mask, square

from restore.core.errors import DataError, UsageError
from restore.plugins.unet.data import discovery, splits
from restore.plugins.unet.data.splits import read_source, select_evaluated, sources
from restore.plugins.unet.options import SegmentationEvaluateOptions
from restore.plugins.unet.settings import ModelSettings, UNetSettings

MODEL = ModelSettings(classes=["nucleus"], size=None, fit="crop")


def test_a_flat_folder_is_paired_by_name_in_counting_order(flat: Path) -> None:
    (flat / "masks" / "cell2.png").rename(flat / "masks" / "cell2_mask.png")
    source = read_source(flat, MODEL)
    assert list(source.names) == ["cell1", "cell2", "cell10"]
    planes, masks = source.read(1)
    assert planes.shape == (3, 12, 16)
    assert masks.shape == (1, 12, 16)
    assert masks.sum() == 24


def test_a_missing_mask_is_named(flat: Path) -> None:
    (flat / "masks" / "cell10.png").unlink()
    with pytest.raises(DataError, match=r"1 of 3 images have no mask in .*masks: cell10"):
        read_source(flat, MODEL)


def test_unequal_sizes_are_named(flat: Path) -> None:
    mask(flat / "masks" / "cell2.png", square(size=(12, 15)))
    with pytest.raises(DataError, match=r"cell2.png has 16x12 pixels, but its mask .*cell2.png has 15x12"):
        read_source(flat, MODEL).read(1)


def test_endings_choose_between_files_of_one_name(flat: Path) -> None:
    image(flat / "images" / "cell1.jpg")
    with pytest.raises(DataError, match="--image-ext"):
        discovery.find(flat)
    assert [case.image.suffix for case in discovery.find(flat, image_ext="jpg").cases] == [".jpg"]
    assert len(discovery.find(flat, image_ext=".png").cases) == 3


@pytest.fixture
def by_class(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        image(tmp_path / "images" / f"{name}.png")
        mask(tmp_path / "masks" / "nucleus" / f"{name}.png", square(top=1))
        mask(tmp_path / "masks" / "cell" / f"{name}.png", square(top=3))
    return tmp_path


def test_a_folder_for_each_class_gives_a_map_for_each(by_class: Path) -> None:
    assert discovery.find(by_class).classes == ("cell", "nucleus")
    _, masks = read_source(by_class, ModelSettings(classes=["nucleus", "cell"])).read(0)
    assert masks[0, 1].any()
    assert not masks[0, 6].any()
    assert not masks[1, 1].any()
    assert masks[1, 6].any()


def test_some_of_the_classes_can_be_chosen_and_others_are_refused(by_class: Path) -> None:
    _, masks = read_source(by_class, ModelSettings(classes=["cell"])).read(0)
    assert masks.shape[0] == 1
    with pytest.raises(DataError, match="no folder mitochondrion; available: cell, nucleus"):
        read_source(by_class, ModelSettings(classes=["mitochondrion"]))


def test_a_class_that_lacks_a_mask_is_named(by_class: Path) -> None:
    (by_class / "masks" / "cell" / "b.png").unlink()
    with pytest.raises(DataError, match=r"masks/cell: b"):
        discovery.find(by_class)


def test_instance_masks_are_merged(tmp_path: Path) -> None:
    for name in ("one", "two"):
        image(tmp_path / name / "images" / f"{name}.png")
        for number in range(3):
            mask(tmp_path / name / "masks" / f"{number}.png", square(top=3 * number))
    source = read_source(tmp_path, MODEL)
    assert list(source.names) == ["one", "two"]
    assert source.read(0)[1].sum() == 10 * 6  # three squares that overlap in a row each
    for path in (tmp_path / "two" / "masks").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"1 of 2 images have no mask.*two"):
        discovery.find(tmp_path)


def test_hidden_folders_are_no_classes(by_class: Path) -> None:
    image(by_class / "masks" / ".ipynb_checkpoints" / "a.png")
    assert discovery.find(by_class).classes == ("cell", "nucleus")


def test_images_of_the_training_size_are_not_resized(flat: Path) -> None:
    assert UNetSettings(data=flat, model=ModelSettings(size=(12, 16))).resolved().model.fit == "crop"
    assert UNetSettings(data=flat).resolved().model.fit == "resize"


@pytest.mark.parametrize("multiclass", [False, True])
def test_several_classes_need_data(multiclass: bool) -> None:
    several = ModelSettings(classes=["cell", "nucleus"], multiclass=multiclass)
    with pytest.raises(UsageError, match=r"have one class, not cell, nucleus; set --data"):
        sources(UNetSettings(model=several))


def test_the_right_folders_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        discovery.find(tmp_path / "absent")
    with pytest.raises(UsageError, match="expected images/ and masks/"):
        discovery.find(tmp_path)
    image(tmp_path / "images" / "a.png")
    with pytest.raises(UsageError, match="no masks/"):
        discovery.find(tmp_path)


def test_a_stratified_split_is_reproducible_disjoint_and_even() -> None:
    shares = np.random.default_rng(1).beta(0.5, 3, 100).tolist()
    train, validation = splits.split_stratified(shares, 0.2, seed=3)
    assert (train, validation) == splits.split_stratified(shares, 0.2, seed=3)
    assert validation != splits.split_stratified(shares, 0.2, seed=4)[1]
    assert sorted(train + validation) == list(range(100))
    assert len(validation) == 20
    found = np.sort(np.asarray(shares)[validation])
    # One of each fifth of the sorted shares lies between the fifths beside it.
    runs = np.array_split(np.sort(shares), 20)
    assert all(run[0] <= share <= run[-1] for run, share in zip(runs, found, strict=True))


def test_a_single_image_cannot_be_divided() -> None:
    with pytest.raises(UsageError, match="--val-data"):
        splits.split_stratified([0.5], 0.2, 0)


def test_files_say_which_images_are_for_what(flat: Path) -> None:
    names = flat / "validation.txt"
    names.write_text("# chosen by hand\ncell10.png\n\n")
    chosen = sources(UNetSettings(data=flat, val_list=names).resolved())
    assert list(chosen["validation"].names) == ["cell10"]
    assert list(chosen["train"].names) == ["cell1", "cell2"]
    names.write_text("cell11\n")
    with pytest.raises(DataError, match="do not exist: cell11"):
        sources(UNetSettings(data=flat, val_list=names).resolved())


def test_an_image_cannot_be_for_both(flat: Path) -> None:
    names = flat / "names.txt"
    names.write_text("cell1\ncell2\n")
    with pytest.raises(UsageError, match="2 images are in both --train-list and --val-list, such as cell1"):
        sources(UNetSettings(data=flat, val_list=names, train_list=names).resolved())


def test_train_names_alone_leave_the_rest_for_validation(flat: Path) -> None:
    names = flat / "train.txt"
    names.write_text("cell2\n")
    chosen = sources(UNetSettings(data=flat, train_list=names).resolved())
    assert list(chosen["validation"].names) == ["cell1", "cell10"]


def test_a_folder_of_its_own_for_validation(flat: Path) -> None:
    other = flat / "other"
    image(other / "images" / "elsewhere.png")
    mask(other / "masks" / "elsewhere.png", square())
    chosen = sources(UNetSettings(data=flat, val_data=other).resolved())
    assert list(chosen["train"].names) == ["cell1", "cell2", "cell10"]
    assert list(chosen["validation"].names) == ["elsewhere"]


@pytest.mark.parametrize("how", ["stratified", "random"])
def test_evaluation_finds_the_part_that_a_run_held_out(flat: Path, how: str) -> None:
    settings = UNetSettings(data=flat, seed=5, split=how).resolved()  # type: ignore[arg-type]
    held_out = list(sources(settings)["validation"].names)
    options = SegmentationEvaluateOptions(subset="validation", seed=5, split=how)  # type: ignore[arg-type]
    assert list(select_evaluated(flat, settings.model, options).names) == held_out
    assert list(select_evaluated(flat, settings.model, SegmentationEvaluateOptions()).names) == [
        "cell1",
        "cell2",
        "cell10",
    ]


def test_gray_and_translucent_images_become_as_many_channels_as_wanted(flat: Path) -> None:
    for channels in (1, 3, 4):
        planes, _ = read_source(flat, ModelSettings(classes=["x"], input_channels=channels)).read(0)
        assert planes.shape == (channels, 12, 16)
        assert planes.dtype == torch.uint8
    with pytest.raises(DataError, match="input_channels=7"):
        read_source(flat, ModelSettings(classes=["x"], input_channels=7)).read(0)
