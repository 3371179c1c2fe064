"""Folders are listed as a person lists them."""

import pytest
from image_files import saved
from PIL import Image

from restore.core.errors import UsageError
from restore.core.images.listing import list_images


def test_links_that_lead_nowhere_are_named(tmp_path, caplog):
    saved(tmp_path, Image.new("RGB", (1, 1)), "here.png")
    for name in ("b.png", "a.jpg", "notes.txt", ".hidden.png"):
        (tmp_path / name).symlink_to(tmp_path / "gone")
    assert [path.name for path in list_images(tmp_path)] == ["here.png"]
    assert [record.getMessage() for record in caplog.records] == [f"{tmp_path}: skipped broken links: a.jpg, b.png"]


def test_a_folder_is_listed_as_a_person_counts(tmp_path):
    for name in ("10.png", "9.JPG", "a2.tif", "a10.tif", "²x.bmp", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_images(tmp_path)] == ["9.JPG", "10.png", "a2.tif", "a10.tif", "²x.bmp"]


def test_a_folder_without_images_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        list_images(tmp_path / "none")
    with pytest.raises(UsageError, match="the folder is empty"):
        list_images(tmp_path)
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(UsageError, match="none of its 1 files"):
        list_images(tmp_path)
    with pytest.raises(UsageError, match="cannot be listed"):
        list_images(tmp_path / "notes.txt")


def test_what_may_be_images_and_is_left_out_is_named_once(tmp_path, caplog):
    saved(tmp_path, Image.new("RGB", (1, 1)), "here.png")
    for name in ("IMG_2.HEIC", "b.cr2", "notes.txt", "Thumbs.db", "a.psd", "c.jxl"):
        (tmp_path / name).touch()
    for folder in ("evening/deep", "empty", "texts"):
        (tmp_path / folder).mkdir(parents=True)
    saved(tmp_path / "evening" / "deep", Image.new("RGB", (1, 1)), "late.png")
    (tmp_path / "texts" / "a.txt").touch()
    for _ in range(2):
        assert [path.name for path in list_images(tmp_path)] == ["here.png"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: left out 4 files without an image suffix: a.psd, b.cr2, c.jxl, …",
        f"{tmp_path}: left out the images in 1 sub-folder: evening",
    ]


def test_sub_folders_are_named_in_place_of_an_empty_folder(tmp_path):
    (tmp_path / "2023").mkdir()
    saved(tmp_path / "2023", Image.new("RGB", (1, 1)), "a.png")
    with pytest.raises(UsageError, match=r"they are in 1 sub-folder \(2023\); give .* such as .*2023"):
        list_images(tmp_path)
