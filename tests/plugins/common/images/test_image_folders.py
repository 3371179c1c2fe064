"""Folders of images of every kind, pairs by name, and the held-out share."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from restore.core.errors import DataError, UsageError
from restore.core.images.listing import list_images
from restore.core.settings import RunSettings
from restore.plugins.common.images import folders
from restore.plugins.common.images.folders import ImageFolder, hold_out, split_files
from restore.plugins.common.images.pairing import pair_files, pair_folders


def written(path: Path, height: int = 6, width: int = 8, mode: str = "RGB", seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(levels).convert(mode)
    image.save(path)
    return path


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "1", "I;16", "CMYK"])
def test_any_kind_of_image_becomes_8_bit_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    if mode == "I;16":
        Image.fromarray(np.full((6, 8), 257 * 77, dtype=np.uint16)).save(path)
    else:
        written(path, mode=mode)
    folder = ImageFolder([path])
    assert folder[0].shape == (3, 6, 8)
    assert folder[0].dtype == torch.uint8
    assert folder.size(0) == (6, 8)
    assert folder.gray(0) == (mode in ("L", "LA", "1", "I;16"))
    if mode == "I;16":
        assert (folder[0] == 77).all()


def test_8_bit_values_survive_exactly(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(levels).save(tmp_path / "all.png")
    assert np.array_equal(ImageFolder([tmp_path / "all.png"])[0][0].numpy(), levels)


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    read: list[Path] = []
    real = folders.open_image
    monkeypatch.setattr(folders, "open_image", lambda path: (read.append(path), real(path))[1])
    return read


def test_an_image_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = count_reads(monkeypatch)
    folder = ImageFolder([written(tmp_path / f"{name}.png") for name in "ab"])
    assert folder.in_memory
    assert read == []
    for index in (0, 1, 0, 1, 0):
        folder[index]
        folder.gray(index)
    assert len(read) == 2


def test_memory_is_bounded_and_what_is_kept_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = count_reads(monkeypatch)
    files = [written(tmp_path / f"{name}.png") for name in "abc"]
    folder = ImageFolder(files, memory=2 * 3 * 6 * 8)
    assert not folder.in_memory
    for _ in range(3):
        for index in range(3):
            folder[index]
    assert [read.count(path) for path in files] == [1, 1, 3]


def test_a_process_that_loads_data_is_not_sent_decoded_images(tmp_path: Path) -> None:
    folder = ImageFolder([written(tmp_path / "a.png", 200, 200)])
    before = folder[0]
    sent = pickle.dumps(folder)
    assert len(sent) < 2000
    assert torch.equal(pickle.loads(sent)[0], before)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no image")
    with pytest.raises(DataError, match=r"text\.png"):
        ImageFolder([text])
    whole = written(tmp_path / "cut.jpg", 64, 64).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(DataError, match=r"cut\.jpg: is damaged or truncated"):
        ImageFolder([tmp_path / "cut.jpg"])


@pytest.mark.parametrize(("inputs", "targets"), [("LR", "HR"), ("inputs", "targets")])
def test_paired_folders_are_found_by_their_names(tmp_path: Path, inputs: str, targets: str) -> None:
    (tmp_path / inputs).mkdir()
    with pytest.raises(UsageError, match=f"has {inputs}/ but no {targets}/"):
        pair_folders(tmp_path)
    (tmp_path / targets).mkdir()
    assert pair_folders(tmp_path) == (tmp_path / inputs, tmp_path / targets)


def test_a_plain_folder_has_no_pairs(tmp_path: Path) -> None:
    assert pair_folders(tmp_path) is None
    with pytest.raises(UsageError, match="no such folder"):
        pair_folders(tmp_path / "missing")
    with pytest.raises(UsageError, match="is a file"):
        pair_folders(written(tmp_path / "image.png"))


def test_pairs_share_a_name_but_not_a_suffix(tmp_path: Path) -> None:
    written(tmp_path / "LR" / "one.png")
    written(tmp_path / "LR" / "two.png")
    written(tmp_path / "HR" / "two.png")
    written(tmp_path / "HR" / "one.bmp")
    pairs = pair_files(tmp_path / "LR", tmp_path / "HR")
    assert [(small.name, large.name) for small, large in pairs] == [("one.png", "one.bmp"), ("two.png", "two.png")]


@pytest.mark.parametrize("alone", ["LR", "HR"])
def test_an_image_without_a_partner_is_named(tmp_path: Path, alone: str) -> None:
    for folder in ("LR", "HR"):
        written(tmp_path / folder / "one.png")
    written(tmp_path / alone / "two.png")
    with pytest.raises(UsageError, match=rf"{alone}.two\.png: no file of the same name"):
        pair_files(tmp_path / "LR", tmp_path / "HR")


def test_two_candidates_for_one_pair_are_refused(tmp_path: Path) -> None:
    for name in ("LR/one.png", "HR/one.png", "HR/one.bmp"):
        written(tmp_path / name)
    with pytest.raises(UsageError, match="the pair is ambiguous"):
        pair_files(tmp_path / "LR", tmp_path / "HR")


@pytest.mark.parametrize(("scale", "name"), [(2, "0001x2"), (3, "0001x3"), (4, "0001X4"), (8, "0001x8")])
def test_an_input_may_say_its_scale_after_its_name(tmp_path: Path, scale: int, name: str) -> None:
    written(tmp_path / "LR" / f"{name}.png", 5, 7)
    written(tmp_path / "HR" / "0001.png", 5 * scale - 1, 7 * scale)
    pairs = pair_files(tmp_path / "LR", tmp_path / "HR", scaled=True)
    assert [(small.stem, large.stem) for small, large in pairs] == [(name, "0001")]
    with pytest.raises(UsageError, match="no file of the same name"):
        pair_files(tmp_path / "LR", tmp_path / "HR")


def test_the_same_name_comes_before_one_without_its_scale(tmp_path: Path) -> None:
    for name in ("LR/box2.png", "HR/box2.png", "LR/bo.png", "HR/bo.png"):
        written(tmp_path / name)
    pairs = pair_files(tmp_path / "LR", tmp_path / "HR", scaled=True)
    assert [(small.name, large.name) for small, large in pairs] == [("bo.png", "bo.png"), ("box2.png", "box2.png")]


def test_a_name_that_says_another_scale_than_the_sizes_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "LR" / "0001x4.png", 5, 7)
    written(tmp_path / "HR" / "0001.png", 10, 14)
    with pytest.raises(DataError, match=r"0001x4\.png: the name means scale 4 to .*0001\.png"):
        pair_files(tmp_path / "LR", tmp_path / "HR", scaled=True)


def test_inputs_of_two_scales_for_one_image_are_refused(tmp_path: Path) -> None:
    for name, side in (("LR/0001x2.png", 10), ("LR/0001x4.png", 5), ("HR/0001.png", 20)):
        written(tmp_path / name, side, side)
    with pytest.raises(UsageError, match=r"0001x4\.png: 0001x2\.png has the same name"):
        pair_files(tmp_path / "LR", tmp_path / "HR", scaled=True)


def test_the_held_out_share_is_disjoint_complete_and_repeatable() -> None:
    train, validation = hold_out(50, 0.1, 3, "photos")
    assert len(validation) == 5
    assert sorted(train + validation) == list(range(50))
    assert hold_out(50, 0.1, 3, "photos") == (train, validation)
    assert hold_out(50, 0.1, 4, "photos")[1] != validation


@pytest.mark.parametrize(("share", "expected"), [(0.01, 1), (0.5, 1), (0.99, 1)])
def test_of_two_images_each_split_gets_one(share: float, expected: int) -> None:
    assert len(hold_out(2, share, 0, "photos")[1]) == expected


def test_one_image_cannot_be_split() -> None:
    with pytest.raises(UsageError, match=r"photos: .*--val-data"):
        hold_out(1, 0.1, 0, "photos")


def test_files_are_split_by_the_seed_or_by_folders(tmp_path: Path) -> None:
    for folder in ("data", "other"):
        for number in range(6):
            written(tmp_path / folder / f"{number}.png")
    data, other = list_images(tmp_path / "data"), list_images(tmp_path / "other")
    settings = RunSettings(data=tmp_path / "data", val_fraction=0.4, seed=1)
    train, validation = hold_out(6, 0.4, 1, "data")
    assert split_files(settings, "train") == [data[index] for index in train]
    assert split_files(settings, "validation") == [data[index] for index in validation]
    both = settings.model_copy(update={"val_data": tmp_path / "other"})
    assert (split_files(both, "train"), split_files(both, "validation")) == (data, other)
    assert split_files(both, "validation", lambda folder: [folder.name]) == ["other"]
    assert split_files(RunSettings(), "train") is split_files(RunSettings(), "validation") is None


@pytest.mark.parametrize(
    ("small", "large"),
    [
        *((name, "0001") for name in ("0001x4", "0001_x4", "0001-x4", "0001_bicLRx4", "0001_4x", "0001x4m", "x4_0001")),
        *((name, "0001") for name in ("0001_LR", "LR_0001", "0001_LRBI_x4", "0001-lq", "0001_bicubic_x4")),
        ("img_001_SRF_4_LR", "img_001_SRF_4_HR"),
        ("Canon_001_LR4", "Canon_001_HR"),
        ("0001_input", "0001_target"),
        ("baby_LR", "baby_GT"),
    ],
)
def test_inputs_are_named_as_in_published_sets(tmp_path: Path, small: str, large: str) -> None:
    written(tmp_path / "LR" / f"{small}.png", 5, 7)
    written(tmp_path / "HR" / f"{large}.png", 20, 28)
    written(tmp_path / "LR" / "other.png", 5, 7)
    written(tmp_path / "HR" / "other.png", 20, 28)
    pairs = pair_files(tmp_path / "LR", tmp_path / "HR", scaled=True)
    assert {(path.stem, target.stem) for path, target in pairs} == {(small, large), ("other", "other")}


def test_names_that_could_belong_to_two_targets_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "LR" / "a_LR.png", 5, 7)
    for name in ("a_HR", "a_GT"):
        written(tmp_path / "HR" / f"{name}.png", 20, 28)
    with pytest.raises(UsageError, match=r"a_LR\.png: no file of the same name"):
        pair_files(tmp_path / "LR", tmp_path / "HR", scaled=True)
