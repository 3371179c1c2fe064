"""Folders of people, list files, and how their images are split_identity."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from restore.core.errors import DataError, UsageError
from restore.plugins.warpgan.data.dataset import FaceFiles, Pairs, galleries, read_identities
from restore.plugins.warpgan.data.index import group_by_identity, read_entries, split_identity
from restore.plugins.warpgan.settings import WarpGANSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two people with four photographs and three caricatures each, every image of its own shade."""
    for place, identity in enumerate(("Ann", "Bob Lee")):
        (tmp_path / identity).mkdir()
        for number in range(4):
            shade = (80 * place + 10 * number, 0, 0)
            Image.new("RGB", (20, 16), shade).save(tmp_path / identity / f"P{number + 1:05}.jpg")
        for number in range(3):
            Image.new("RGB", (16, 16), (0, 80 * place + 10 * number, 0)).save(
                tmp_path / identity / f"C{number + 1:05}.png"
            )
    return tmp_path


def test_kinds_are_told_from_names(folder: Path) -> None:
    Image.new("RGB", (8, 8)).save(folder / "Ann" / "cover.png")
    found = read_identities(folder, None)
    assert [(album.identity, len(album.photographs), len(album.caricatures)) for album in found] == [
        ("Ann", 4, 3),
        ("Bob Lee", 4, 3),
    ]


def test_a_list_names_paths_and_people(folder: Path) -> None:
    listed = folder / "train.txt"
    listed.write_text("# chosen\nAnn/P00001.jpg 0\nAnn/C00002.png 0\n\nBob Lee/P00003.jpg\nBob Lee/C00001.png\n")
    found = read_identities(folder, listed)
    assert [(album.identity, album.photographs[0].name, album.caricatures[0].name) for album in found] == [
        ("0", "P00001.jpg", "C00002.png"),
        ("Bob Lee", "P00003.jpg", "C00001.png"),
    ]


def test_a_listed_file_that_is_not_there_is_named_with_its_line(folder: Path) -> None:
    listed = folder / "train.txt"
    listed.write_text("Ann/P00001.jpg\nAnn/P00099.jpg 3\n")
    with pytest.raises(DataError, match=r"train.txt, line 2: no such file: .*P00099"):
        read_entries(folder, listed)


def test_people_with_photographs_only_are_named(folder: Path) -> None:
    for path in (folder / "Ann").glob("C*"):
        path.unlink()
    with pytest.raises(UsageError, match="no caricature of Ann; every person needs both"):
        group_by_identity(read_entries(folder), folder)


@pytest.mark.parametrize(("make", "message"), [(False, "no such folder"), (True, "one folder per person")])
def test_a_folder_without_faces_says_what_is_wanted(tmp_path: Path, make: bool, message: str) -> None:
    place = tmp_path / "faces"
    if make:
        place.mkdir()
    with pytest.raises(UsageError, match=message):
        read_entries(place)


def test_a_broken_image_is_named(folder: Path) -> None:
    (folder / "Ann" / "P00002.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"P00002.jpg"):
        FaceFiles(read_identities(folder, None), 16)


def test_everybody_is_in_both_halves_and_no_image_is(folder: Path) -> None:
    for album in read_identities(folder, None):
        train, validation = split_identity(album, 0.3, seed=1)
        for kind in ("photographs", "caricatures"):
            kept, held = set(getattr(train, kind)), set(getattr(validation, kind))
            assert kept
            assert held
            assert kept | held == set(getattr(album, kind))
            assert not kept & held
        assert split_identity(album, 0.3, seed=1) == (train, validation)


def test_a_person_with_one_caricature_cannot_be_divided(folder: Path) -> None:
    for path in sorted((folder / "Ann").glob("C*"))[1:]:
        path.unlink()
    with pytest.raises(UsageError, match="Ann: one caricature is not enough"):
        galleries(WarpGANSettings(data=folder, model={"size": 32}))


def test_pairs_show_one_person_twice(folder: Path) -> None:
    pairs = Pairs(FaceFiles(read_identities(folder, None), 16), training=True)
    assert len(pairs) == 8
    assert pairs.name(5) == "Bob Lee/P00002.jpg"
    for index in range(8):
        sample = pairs[index]
        identity = int(sample["identity"])
        assert sample["input"].shape == sample["target"].shape == (3, 16, 16)
        assert int(sample["input"][0].max() * 255) // 70 == int(sample["target"][1].max() * 255) // 70 == identity


def test_caricatures_are_drawn_at_random_for_training_and_in_order_else(folder: Path) -> None:
    gallery = FaceFiles(read_identities(folder, None), 16)
    validation = Pairs(gallery, training=False)
    assert torch.equal(validation[0]["target"], validation[3]["target"])  # the fourth photograph, three caricatures
    torch.manual_seed(0)
    shades = {int(Pairs(gallery, training=True)[0]["target"][1].max() * 255) for _ in range(20)}
    assert len(shades) == 3


def test_less_detail_keeps_the_size(folder: Path) -> None:
    gallery = galleries(WarpGANSettings(model={"size": 32}))["train"]
    whole, coarse = (Pairs(gallery, training=False, detail=detail)[0]["input"] for detail in (None, 8))
    assert coarse.shape == whole.shape
    assert coarse.diff(dim=-1).abs().mean() < 0.5 * whole.diff(dim=-1).abs().mean()


def test_validation_is_on_the_same_people(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "Eve"
    other.mkdir(parents=True)
    for name in ("P1.png", "C1.png"):
        Image.new("RGB", (16, 16)).save(other / name)
    with pytest.raises(UsageError, match="Eve is not in the training data"):
        galleries(WarpGANSettings(data=folder, val_data=other.parent, val_fraction=0.5, model={"size": 32}))


def test_people_keep_their_numbers_in_validation(folder: Path, tmp_path: Path) -> None:
    listed = tmp_path / "validation.txt"
    listed.write_text("Bob Lee/P00004.jpg\nBob Lee/C00003.png\n")
    validation = galleries(WarpGANSettings(data=folder, val_list=listed, model={"size": 32}))["validation"]
    pairs = Pairs(validation, training=False)
    assert len(pairs) == 1
    assert int(pairs[0]["identity"]) == 1


@pytest.fixture
def lists(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Everybody's first two photographs and caricatures, and everybody's third ones."""
    paths = tuple(tmp_path_factory.mktemp("lists") / name for name in ("train.txt", "validation.txt"))
    for path, numbers in zip(paths, ((1, 2), (3,)), strict=True):
        names = [f"{kind.format(number)}" for number in numbers for kind in ("P{:05}.jpg", "C{:05}.png")]
        path.write_text("".join(f"{identity}/{name}\n" for identity in ("Ann", "Bob Lee") for name in names))
    return paths


def shown(gallery: FaceFiles) -> set[Path]:
    return {path for album in gallery.albums for path in (*album.photographs, *album.caricatures)}


def test_what_a_list_holds_out_is_not_trained_on(folder: Path, lists: tuple[Path, Path]) -> None:
    halves = galleries(WarpGANSettings(data=folder, val_list=lists[1], model={"size": 32}))
    train, validation = shown(halves["train"]), shown(halves["validation"])
    assert (len(train), len(validation)) == (2 * (3 + 2), 2 * 2)
    assert not train & validation


def test_lists_of_other_images_are_taken_as_they_are(folder: Path, lists: tuple[Path, Path]) -> None:
    halves = galleries(WarpGANSettings(data=folder, list_file=lists[0], val_list=lists[1], model={"size": 32}))
    assert [len(shown(halves[split])) for split in ("train", "validation")] == [2 * 4, 2 * 2]


def test_an_image_in_both_lists_is_named(folder: Path, lists: tuple[Path, Path]) -> None:
    lists[1].write_text(lists[1].read_text() + "Ann/../Ann/P00002.jpg\n")
    settings = WarpGANSettings(data=folder, list_file=lists[0], val_list=lists[1], model={"size": 32})
    with pytest.raises(UsageError, match=r"validation.txt: .*P00002.jpg is also a training image"):
        galleries(settings)


def test_the_folder_that_is_trained_on_cannot_be_validated_on(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"P00001.jpg is also a training image"):
        galleries(WarpGANSettings(data=folder, val_data=folder, model={"size": 32}))


def test_a_list_leaves_everybody_images_to_train_on(folder: Path, lists: tuple[Path, Path]) -> None:
    for number in (1, 2):
        (folder / "Ann" / f"C{number:05}.png").unlink()
    with pytest.raises(UsageError, match=r"validation.txt: no caricature of Ann is left for training"):
        galleries(WarpGANSettings(data=folder, val_list=lists[1], model={"size": 32}))


def test_people_are_counted_and_real_faces_get_the_published_sizes(folder: Path) -> None:
    resolved = WarpGANSettings(data=folder, model={"channels": 8}).resolved()
    assert (resolved.model.identities, resolved.model.size, resolved.model.channels) == (2, 256, 8)
    assert resolved.resolved() == resolved
    with pytest.raises(UsageError, match=r"2 people, but model.identities is 5"):
        galleries(WarpGANSettings(data=folder, model={"identities": 5, "size": 32}))


def test_the_sample_has_no_image_in_both_halves() -> None:
    halves = galleries(WarpGANSettings(model={"size": 32}).resolved())
    train, validation = halves["train"], halves["validation"]
    assert train.identities == validation.identities == 12
    names = [{gallery.name(3, n) for n in range(gallery.photographs(3))} for gallery in (train, validation)]
    assert not names[0] & names[1]
