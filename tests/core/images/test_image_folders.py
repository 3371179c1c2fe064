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
