"""``restore predict`` on folders in folders, and on folders that were processed in part."""

import os
import re

import pytest
from PIL import Image

from restore.core import atomic


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_recursive_results_keep_the_tree(restore, weights, photo, tmp_path):
    for name in ("a.png", "one/a.png", "one/two/b.png"):
        photo(f"in/{name}")
    status, out, err = restore("predict", weights(), "in", "--recursive", "--output", "out")
    assert status == 0
    assert files(tmp_path / "out") == ["a.png", "one/a.png", "one/two/b.png"]
    assert out.splitlines()[1] == "in/one/a.png -> out/one/a.png (16 x 12)"
    assert re.fullmatch(r"3 images written to out; \d+ s\n", err)


def test_hidden_and_system_files_are_skipped_and_counted(restore, weights, photo, tmp_path):
    for name in (
        "a.png",
        ".hidden.png",
        "one/._b.png",
        "__MACOSX/c.png",
        ".git/d.png",
        "one/b.png",
        "one/@eaDir/b.png",
    ):
        photo(f"in/{name}")
    for name in (".DS_Store", "one/Thumbs.db", "one/desktop.ini"):
        (tmp_path / "in" / name).touch()
    status, _, err = restore("predict", weights(), "in", "--recursive", "--output", "out")
    assert status == 0
    assert files(tmp_path / "out") == ["a.png", "one/b.png"]
    assert re.fullmatch(r"2 images written to out, 8 hidden or system files left out; \d+ s\n", err)


def test_what_else_is_left_out_of_a_tree_is_named(restore, weights, photo, tmp_path):
    photo("in/one/a.png")
    (tmp_path / "in/one/raw.cr3").touch()
    (tmp_path / "in/one/notes.txt").touch()
    (tmp_path / "in/gone.png").symlink_to("nowhere.png")
    (tmp_path / "in/one/back").symlink_to("..")
    _, _, err = restore("predict", weights(), "in", "--recursive", "--output", "out")
    assert "in: left out 1 file without an image suffix: raw.cr3" in err
    assert "in: skipped 1 broken link: gone.png" in err
    assert f"in/one/back: left out: it is a link to {tmp_path / 'in'}, in which it lies itself" in err
    assert files(tmp_path / "out") == ["one/a.png"]


def test_results_inside_the_tree_are_not_read_again(restore, weights, photo, tmp_path):
    photo("in/one/a.png")
    arguments = ("predict", weights(), "in", "--recursive", "--output", "in/results", "--overwrite")
    assert restore(*arguments)[0] == 0
    status, _, err = restore(*arguments)
    assert status == 0
    assert "in/results: left out, because the results go there" in err
    assert files(tmp_path / "in") == ["one/a.png", "results/one/a.png"]
    status, _, err = restore("predict", weights(), "in", "--recursive", "--output", "in")
    assert status == 2
    assert "--output in: is the folder that is read with --recursive" in err


def test_a_folder_without_images_leads_to_recursive(restore, weights, photo, tmp_path):
    photo("in/one/a.png")
    status, _, err = restore("predict", weights(), "in", "--output", "out")
    assert status == 2
    assert "no images: they are in 1 sub-folder (one); --recursive takes them, and keeps the tree" in err
    photo("in/b.png")
    assert (
        "left out the images in 1 sub-folder: one; --recursive takes them"
        in restore("predict", weights(), "in", "--output", "out")[2]
    )
    (tmp_path / "empty" / "er").mkdir(parents=True)
    (tmp_path / "empty" / "er" / "film.mp4").touch()
    status, _, err = restore("predict", weights(), "empty", "--recursive", "--output", "out2")
    assert status == 2
    assert "empty: no images in this folder or those in it (1 other file: film.mp4)" in err


def test_names_that_would_meet_are_refused_before_the_work(restore, weights, photo, tmp_path):
    for name in ("one/a.png", "one/a.bmp", "one/a-bmp.png"):
        photo(f"in/{name}")
    status, out, err = restore("predict", weights(), "in", "--recursive", "--output", "out")
    assert (status, out) == (2, "")
    assert "in/one/a-bmp.png and in/one/a.bmp would both be written as 'one/a-bmp'" in err
    assert not (tmp_path / "out").exists()
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "lime")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    photo("a-2.png")
    status, _, err = restore("predict", weights(), "a.gif", "a-2.png", "--frame", "all", "--output", "out")
    assert status == 2
    assert "a.gif and a-2.png would both be written as 'a-2'" in err


def test_a_file_in_the_way_of_a_folder_is_noticed_before_the_work(restore, weights, photo, tmp_path):
    photo("in/a.png")
    photo("in/one/b.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "one").touch()
    status, out, err = restore("predict", weights(), "in", "--recursive", "--output", "out")
    assert (status, out) == (2, "")
    assert "out/one: is not a folder" in err


# --- work that was interrupted --------------------------------------------------------------------------------------


def test_existing_results_are_skipped_and_stay_as_they_are(restore, weights, photo, tmp_path):
    for name in "abc":
        photo(f"in/{name}.png")
    assert restore("predict", weights(), "in/b.png", "--output", "out")[0] == 0
    before = (tmp_path / "out" / "b.png").read_bytes()
    (tmp_path / "out" / ".0123456789abcdef.part").write_bytes(before[:50])  # what a killed process leaves
    dark = weights("dark.safetensors", gain=0.0)
    status, out, err = restore("predict", dark, "in", "--output", "out", "--skip-existing")
    assert status == 0
    assert [line.split(" ->")[0] for line in out.splitlines()] == ["in/a.png", "in/c.png"]
    assert re.fullmatch(r"2 images written to out, 1 skipped because its result exists; \d+ s\n", err)
    assert (tmp_path / "out" / "b.png").read_bytes() == before
    status, out, err = restore("predict", dark, "in", "--output", "out", "--skip-existing")
    assert (status, out) == (0, "")
    assert err.startswith("0 images written to out, 3 skipped because their results exist; ")


def test_a_result_counts_only_with_all_of_its_parts(restore, photo, tmp_path):
    photo("in/a.png")
    photo("in/b.png")
    assert restore("predict", "otsu", "in", "--output", "out")[0] == 0
    (tmp_path / "out" / "b.png").unlink()  # the part that gets its name last
    (tmp_path / "out" / "b-overlay.png").write_text("left from work that was interrupted")
    status, out, _ = restore("predict", "otsu", "in", "--output", "out", "--skip-existing")
    assert status == 0
    assert {line.split(" ->")[0] for line in out.splitlines()} == {"in/b.png"}
    with Image.open(tmp_path / "out" / "b-overlay.png") as image:
        assert image.size == (8, 6)
    (tmp_path / "out" / "a-overlay.png").unlink()
    status, out, err = restore("predict", "otsu", "in", "--output", "out", "--skip-existing")
    assert (status, out) == (2, "")
    assert "out/a.png exists, but out/a-overlay.png does not; choose another --output" in err


def test_the_first_part_of_a_result_gets_its_name_last(restore, photo, tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(atomic, "fsync", lambda folder: order.append(files(folder)))
    assert restore("predict", "otsu", photo(), "--output", "out")[0] == 0
    seen = [[name for name in names if not name.startswith(".")] for names in order]
    assert "photo.png" not in seen[-2]
    assert seen[-1] == ["photo-overlay.png", "photo-probability.png", "photo.png"]


@pytest.mark.parametrize(
    ("model", "flags", "said"),
    [
        ("bright", ("--skip-existing",), "this model does not say which files it writes"),
        ("otsu", ("--skip-existing", "--overwrite"), "--overwrite and --skip-existing exclude each other"),
    ],
)
def test_skipping_what_cannot_be_known_is_refused(restore, photo, model, flags, said):
    status, out, err = restore("predict", model, photo(), "--output", "out", *flags)
    assert (status, out) == (2, "")
    assert said in err


def test_failures_are_counted_beside_the_others(restore, weights, photo, tmp_path):
    photo("in/a.png")
    (tmp_path / "in" / "b.png").write_text("no image")
    status, _, err = restore("predict", weights(), "in", "--output", "out")
    assert status == 1
    assert re.search(r"^1 image written to out, 1 failed; \d+ s\n", err, re.MULTILINE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everywhere")
def test_a_folder_that_cannot_be_listed_is_named(restore, weights, photo, tmp_path):
    photo("in/a.png")
    photo("in/shut/b.png")
    (tmp_path / "in" / "shut").chmod(0)
    try:
        status, _, err = restore("predict", weights(), "in", "--recursive", "--output", "out")
    finally:
        (tmp_path / "in" / "shut").chmod(0o700)
    assert status == 0
    assert "in/shut: left out, because it cannot be listed: permission denied" in err
