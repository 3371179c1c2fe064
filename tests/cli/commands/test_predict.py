"""``restore predict`` as a person uses it."""

import os
import re

import numpy as np
import pytest
from PIL import Image

from restore.core.images import opening, png16
from restore.core.images.files import read_image


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def doubled(path):
    return pixels(path).repeat(2, 0).repeat(2, 1)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_photograph_is_upscaled_by_a_weights_file(restore, weights, photo, tmp_path):
    status, out, err = restore("predict", weights(), photo(), "--output", "out")
    assert (status, err) == (0, "")
    assert out == f"{tmp_path / 'photo.png'} -> out/photo.png (16 x 12)\n"
    assert (pixels(tmp_path / "out" / "photo.png") == doubled(tmp_path / "photo.png")).all()


def test_a_run_means_its_best_weights(restore, weights, photo, tmp_path):
    weights("run/best.safetensors", gain=0.0)
    assert restore("predict", "run", photo(), "--output", "out")[0] == 0
    assert pixels(tmp_path / "out" / "photo.png").max() == 0


def test_a_task_without_weights_takes_its_own_options(restore, photo, tmp_path):
    status, out, _ = restore("predict", "repeat", photo(), "--output", "out", "--scale", 3)
    assert status == 0
    assert out.splitlines() == [
        f"{tmp_path / 'photo.png'} -> out/photo.png (24 x 18)",
        f"{tmp_path / 'photo.png'} -> out/photo-bright.png (24 x 18)",
    ]
    assert set(np.unique(pixels(tmp_path / "out" / "photo-bright.png"))) == {0, 255}


def test_a_result_larger_than_what_is_read_is_written_and_told(restore, weights, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "PIXEL_LIMIT", 8 * 6)
    status, out, err = restore("predict", weights(), photo(), "--output", "out")
    assert (status, err) == (0, "")
    assert out.endswith("out/photo.png (16 x 12)\n")


def test_folders_mean_their_images_and_nothing_is_done_twice(restore, weights, photo, tmp_path):
    photo("in/2.png")
    photo("in/10.png")
    (tmp_path / "in" / "notes.txt").touch()
    status, out, _ = restore("predict", weights(), "in", "in/2.png", "--output", "out")
    assert status == 0
    assert [line.split(" ->")[0] for line in out.splitlines()] == ["in/2.png", "in/10.png"]


@pytest.mark.parametrize("tile", ["16", "auto", "off"])
def test_tiles_do_not_show(restore, weights, photo, tmp_path, tile):
    photo(height=40, width=33)
    assert restore("predict", weights(), "photo.png", "--output", "out", "--tile", tile)[0] == 0
    assert (pixels(tmp_path / "out" / "photo.png") == doubled(tmp_path / "photo.png")).all()


def test_a_size_of_tiles_that_cannot_be_meant_is_refused_in_one_sentence(restore, weights, photo):
    status, _, err = restore("predict", weights(), photo(), "--output", "out", "--tile", 5)
    assert status == 2
    assert err.startswith("Error: --tile: should be 'auto' or 'off' or greater than or equal to 16 (got 5, from the")


def test_tiles_are_refused_where_the_whole_image_must_be_seen(restore, photo):
    status, _, err = restore("predict", "repeat", photo(), "--output", "out", "--tile", 16)
    assert status == 2
    assert "needs the whole image at once; leave --tile out" in err


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "RGB", "P", "CMYK", "1"])
def test_images_of_every_kind_go_among_the_others(restore, weights, photo, tmp_path, mode):
    name = f"photo.{'tif' if mode == 'CMYK' else 'png'}"
    photo(name, mode=mode)
    assert restore("predict", weights(), name, "--output", "out")[0] == 0
    written = Image.open(tmp_path / "out" / "photo.png")
    with written:
        assert written.mode == {"P": "RGB", "CMYK": "RGB", "1": "L"}.get(mode, mode)
        assert written.size == (16, 12)


def test_one_pixel_and_sixteen_bits_are_no_trouble(restore, weights, tmp_path):
    Image.fromarray(np.array([[40_000]], np.uint16)).save(tmp_path / "deep.png")
    assert restore("predict", weights(), "deep.png", "--output", "out")[0] == 0
    assert pixels(tmp_path / "out" / "deep.png").tolist() == [[40_000, 40_000]] * 2


def test_a_mask_takes_over_only_what_a_mask_has(restore, tmp_path):
    levels = np.zeros((4, 6, 2), np.uint16)
    levels[:, 3:] = 65_535, 30_000
    png16.write(tmp_path / "deep.png", levels)
    assert restore("predict", "repeat", "deep.png", "--output", "out", "--scale", 1)[0] == 0
    whole, mask = (read_image(tmp_path / "out" / name) for name in ("deep.png", "deep-bright.png"))
    assert (whole.bits, whole.alpha is None) == (16, False)
    assert (mask.bits, mask.alpha) == (8, None)
    assert (pixels(tmp_path / "out" / "deep-bright.png") == 255).all()  # nothing is dark where nothing is seen


@pytest.mark.parametrize("kind", ["deep", "RGBA", "RGB"])
def test_segmentation_writes_masks_of_eight_bits_and_maps_as_deep_as_the_image(restore, photo, tmp_path, kind):
    if kind == "deep":
        drawn = np.linspace(0, 65_535, 96).reshape(8, 12).astype(np.uint16)
        Image.fromarray(drawn).save(tmp_path / "photo.png")
    else:
        photo(mode=kind)
    assert restore("predict", "otsu", "photo.png", "--output", "out")[0] == 0
    written = {name: read_image(tmp_path / "out" / f"photo{name}.png") for name in ("", "-probability", "-overlay")}
    assert {name: image.bits for name, image in written.items()} == {
        "": 8,
        "-probability": 16 if kind == "deep" else 8,
        "-overlay": 8,
    }
    assert all(image.alpha is None for image in written.values())
    assert written[""].gray
    assert set(written[""].color.unique().tolist()) == {0.0, 1.0}


def test_a_terminal_shows_a_bar_and_every_result_above_it(restore, weights, photo, tmp_path, monkeypatch):
    photo("in/a.png")
    photo("in/b [x].png")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    status, out, err = restore("predict", weights(), "in", "--output", "out")
    assert (status, out) == (0, "")
    assert "in/a.png -> out/a.png (16 x 12)" in err
    assert "in/b [x].png -> out/b [x].png (16 x 12)" in err
    assert "2/2" in err


def test_the_time_of_long_work_is_told_when_its_first_part_is_done(restore, weights, photo, monkeypatch):
    monkeypatch.setattr("restore.cli.prediction.running.LONG", -1.0)
    photo(height=40, width=33)
    status, _, err = restore("predict", weights(), "photo.png", "--output", "out", "--tile", 16)
    assert status == 0
    assert re.fullmatch(r"photo\.png: 33 x 40 -> 66 x 80 pixels, 9 tiles, about \d+ s\n", err)


# --- names ----------------------------------------------------------------------------------------------------


def test_images_of_one_stem_get_names_of_their_own(restore, weights, photo, tmp_path):
    photo("in/a.png")
    photo("in/a.bmp")
    photo("in/b.png")
    assert restore("predict", weights(), "in", "--output", "out")[0] == 0
    assert names(tmp_path / "out") == ["a-bmp.png", "a-png.png", "b.png"]


def test_images_of_one_name_in_two_folders_are_refused(restore, weights, photo, tmp_path):
    photo("one/a.png")
    photo("two/A.png")
    status, _, err = restore("predict", weights(), "one", "two", "--output", "out")
    assert status == 2
    assert "one/a.png and two/A.png have the same name" in err
    assert not (tmp_path / "out").exists()


def test_a_second_result_never_replaces_another_image(restore, photo, tmp_path):
    photo("in/a.png")
    photo("in/a-bright.png")
    status, _, err = restore("predict", "repeat", "in", "--output", "out", "--overwrite")
    assert status == 2
    assert "in/a-bright.png and in/a.png would both be written as out/a-bright.png" in err
    assert names(tmp_path / "out") == []


def test_nothing_is_overwritten_unless_asked_for(restore, weights, photo, tmp_path):
    photo()
    assert restore("predict", weights(), "photo.png", "--output", "out")[0] == 0
    before = (tmp_path / "out" / "photo.png").read_bytes()
    dark = weights("dark.safetensors", gain=0.0)
    status, _, err = restore("predict", dark, "photo.png", "--output", "out")
    assert status == 2
    assert "out/photo.png: already exists; choose another --output, or replace with --overwrite" in err
    assert (tmp_path / "out" / "photo.png").read_bytes() == before
    assert restore("predict", dark, "photo.png", "--output", "out", "--overwrite")[0] == 0
    assert pixels(tmp_path / "out" / "photo.png").max() == 0


def test_only_what_is_really_written_is_in_the_way(restore, photo, tmp_path):
    photo("in/a.png")
    photo("in/b.png")
    # none of whose results is called as the images are
    assert restore("predict", "bright", "in", "--output", "in")[0] == 0
    assert names(tmp_path / "in") == ["a-bright.png", "a.png", "b-bright.png", "b.png"]


def test_a_result_that_is_in_the_way_stops_the_work_at_the_first_image(restore, photo, tmp_path):
    photo("in/a.png")
    photo("in/b.png")
    photo("out/b-bright.png")
    status, out, err = restore("predict", "repeat", "in", "--output", "out")
    assert (status, out) == (2, "")
    assert err.count("already exists") == 1
    assert "out/b-bright.png: already exists; choose another --output, or replace with --overwrite" in err
    assert names(tmp_path / "out") == ["b-bright.png"]


def test_what_an_option_reads_is_never_replaced(restore, weights, photo, tmp_path):
    before = photo("masks/a.png").read_bytes()
    photo("in/a.png")
    arguments = ("predict", weights(), "in", "--output", "masks", "--overwrite", "--names")
    for named, said in (("masks", "another option reads this folder"), ("masks/a.png", "would replace an input")):
        status, out, err = restore(*arguments, named)
        assert (status, out) == (2, "")
        assert said in err
    assert names(tmp_path / "masks") == ["a.png"]
    assert (tmp_path / "masks" / "a.png").read_bytes() == before


def test_the_input_is_never_replaced(restore, weights, photo, tmp_path):
    before = photo("in/a.png").read_bytes()
    status, _, err = restore("predict", weights(), "in", "--output", "in", "--overwrite")
    assert status == 2
    assert "would replace an input" in err
    assert (tmp_path / "in" / "a.png").read_bytes() == before
    assert names(tmp_path / "in") == ["a.png"]


# --- what goes wrong ------------------------------------------------------------------------------------------


def test_a_broken_image_is_named_and_the_others_go_on(restore, weights, photo, tmp_path):
    photo("in/a.png")
    photo("in/c.png")
    (tmp_path / "in" / "b.png").write_text("no image")
    cut = photo("in/d.jpg", 32, 32).read_bytes()
    (tmp_path / "in" / "d.jpg").write_bytes(cut[:-300])
    status, _, err = restore("predict", weights(), "in", "--output", "out")
    assert status == 1
    assert names(tmp_path / "out") == ["a.png", "c.png"]
    assert "in/b.png: is not an image" in err
    assert "in/d.jpg: is damaged or truncated" in err
    assert err.splitlines()[-1] == "Error: 2 of 4 images could not be processed"


def test_what_a_task_does_not_want_is_named_with_its_image(restore, photo):
    photo("in/unwanted.png")
    photo("in/wanted.png")
    status, out, err = restore("predict", "repeat", "in", "--output", "out")
    assert status == 1
    assert "in/unwanted.png: this one is not wanted" in err
    assert "wanted.png" in out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("none.png", "none.png: no such file or folder"),
        ("", "INPUT: expected an image or a folder, got an empty string"),
        ("empty", "no images: the folder is empty"),
        ("words", "none of its 1"),
    ],
)
def test_inputs_that_are_not_there_are_wrong_usage(restore, weights, tmp_path, given, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").touch()
    status, _, err = restore("predict", weights(), given, "--output", "out")
    assert status == 2
    assert said in err
    assert not (tmp_path / "out").exists()


def test_weights_that_are_no_numbers_are_never_used(restore, weights, photo, tmp_path):
    status, _, err = restore("predict", weights(gain=float("nan")), photo(), "--output", "out")
    assert status == 1
    assert "w.safetensors: contains NaN (not a number)" in err
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_wrong_usage(restore, weights, photo, tmp_path):
    (tmp_path / "out").touch()
    status, _, err = restore("predict", weights(), photo(), "--output", "out")
    assert status == 2
    assert "out: is not a folder" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_is_noticed_before_the_work(restore, weights, photo, tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    status, out, err = restore("predict", weights(), photo(), "--output", "out")
    assert (status, out) == (1, "")
    assert "out: cannot be written to: permission denied" in err


def test_damaged_and_foreign_weights_are_refused(restore, weights, photo, tmp_path):
    whole = weights().read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-1])
    (tmp_path / "net.pth").write_bytes(b"PK\x03\x04" + bytes(100))
    for name, said in (("cut.safetensors", "truncated"), ("net.pth", "net.pth: damaged")):
        status, _, err = restore("predict", name, photo(), "--output", "out")
        assert status == 1
        assert said in err


def test_a_device_that_is_not_here_is_wrong_usage(restore, weights, photo, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    status, _, err = restore("predict", weights(), photo(), "--output", "out", "--device", "cuda")
    assert status == 2
    assert "--device cuda: no CUDA device available (available: cpu)" in err


# --- formats --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "suffix", "pillow"), [("tiff", "tif", "TIFF"), ("jpeg", "jpg", "JPEG")])
def test_results_have_the_format_that_is_asked_for(restore, weights, photo, tmp_path, kind, suffix, pillow):
    status, out, err = restore("predict", weights(), photo(), "--output", "out", "--output-format", kind)
    assert (status, err) == (0, "")
    assert out.endswith(f"-> out/photo.{suffix} (16 x 12)\n")
    with Image.open(tmp_path / "out" / f"photo.{suffix}") as image:
        assert (image.format, image.mode, image.size) == (pillow, "RGB", (16, 12))
    if kind == "tiff":
        assert (pixels(tmp_path / "out" / "photo.tif") == doubled(tmp_path / "photo.png")).all()


def test_the_quality_of_jpeg_files_can_be_chosen(restore, weights, photo, tmp_path):
    photo(height=60, width=60)
    for quality in (20, 95):
        arguments = ("--output", str(quality), "--output-format", "jpeg", "--quality", quality)
        assert restore("predict", weights(), "photo.png", *arguments)[0] == 0
    small, large = ((tmp_path / quality / "photo.jpg").stat().st_size for quality in ("20", "95"))
    assert small < large / 2


def test_what_a_format_cannot_keep_is_said(restore, weights, photo):
    photo(mode="RGBA")
    status, _, err = restore("predict", weights(), "photo.png", "--output", "out", "--output-format", "jpeg")
    assert (status, err) == (0, "Warning: photo.png: jpeg results do not keep: alpha\n")
    status, _, err = restore("predict", weights(), "photo.png", "--output", "out", "--output-format", "tiff")
    assert (status, err) == (0, "")
