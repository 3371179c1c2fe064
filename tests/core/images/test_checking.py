"""Files that were cut off are named before any work is done."""

import pytest
from image_files import levels, saved
from PIL import Image

from restore.core.errors import DataError
from restore.core.images.checking import check_file, check_files

NAMES = ["image.png", "image.jpg", "image.gif", "image.webp", "image.tif"]


@pytest.mark.parametrize("name", [*NAMES, "image.bmp"])
def test_whole_files_pass_even_with_something_behind_them(tmp_path, name):
    path = saved(tmp_path, Image.fromarray(levels(40, 40)), name)
    check_file(path)
    if not name.endswith("gif"):
        path.write_bytes(path.read_bytes() + b"a note of a camera")
        check_file(path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_that_was_cut_off_is_named(tmp_path, name, share):
    path = saved(tmp_path, Image.fromarray(levels(64, 64)), name)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match=rf"{name}: is damaged or truncated"):
        check_file(path)


def test_the_end_of_a_preview_is_not_taken_for_that_of_a_photograph(tmp_path):
    preview = saved(tmp_path, Image.fromarray(levels(8, 8)), "preview.jpg").read_bytes()
    path = saved(tmp_path, Image.fromarray(levels(64, 64)), "photo.jpg", exif=b"Exif\0\0" + preview)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match="its end is missing"):
        check_file(path)


def test_several_are_counted(tmp_path):
    paths = [saved(tmp_path, Image.fromarray(levels(64, 64, seed=number)), f"{number}.jpg") for number in range(4)]
    for path in paths[1:3]:
        path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DataError, match=r"1\.jpg: .*\(and 1 more of 4 images\)"):
        check_files(paths)
