"""A command line that cannot be meant leads on to one that can, and one bad image does not end the others."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from restore.cli.app import app

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    return lambda *arguments: CliRunner().invoke(app, list(arguments), prog_name="restore")


def photo(path: Path, side: int = 64, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    smooth = np.add.outer(np.arange(side), np.arange(side) * 2 + 5 * seed) % 200
    Image.fromarray(np.stack([smooth, smooth[::-1], smooth.T], -1).astype(np.uint8)).save(path)
    return path


def test_an_image_in_place_of_a_model_is_told_what_to_put_before_it(run: Run, tmp_path: Path) -> None:
    photo(tmp_path / "small.png")
    photo(tmp_path / "photos" / "a.png")
    for name, what in (("small.png", "an image"), ("photos", "a folder of images")):
        result = run("predict", name, "--output", "o")
        assert result.exit_code == 2
        assert f"{name} is {what}, and no model is named" in result.stderr
        assert f"restore predict bicubic {name} --output out/" in result.stderr
    assert "restore evaluate bicubic --data photos" in run("evaluate", "photos").stderr


def test_a_mistyped_run_and_a_short_flag_are_answered_with_the_right_ones(run: Run, tmp_path: Path) -> None:
    (tmp_path / "runs" / "first").mkdir(parents=True)
    (tmp_path / "runs" / "first" / "config.yaml").touch()
    photo(tmp_path / "a.png")
    assert "runs/first" in run("predict", "runs/frist", "a.png", "--output", "o").stderr
    assert "No such option: -o. Did you mean --output?" in run("predict", "bicubic", "a.png", "-o", "o").stderr


def test_a_device_that_is_not_there_names_the_variable_that_chooses(run: Run, tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    assert "CUDA_VISIBLE_DEVICES" in run("predict", "bicubic", "a.png", "--device", "cuda:99", "--output", "o").stderr
    assert "CUDA_VISIBLE_DEVICES=1" in run("train", "unet", "--device", "cuda:1").stderr
    assert run("predict", "bicubic", "a.png", "--device", "gpu", "--output", "o").exit_code == 2


def test_evaluate_goes_on_after_a_damaged_file(run: Run, tmp_path: Path) -> None:
    for number in range(3):
        photo(tmp_path / "data" / f"{number}.png", seed=number)
    whole = json.loads(run("evaluate", "bicubic", "--data", "data", "--scale", "4", "--json").stdout)
    data = photo(tmp_path / "data" / "cut.png").read_bytes()
    (tmp_path / "data" / "cut.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "data" / "text.png").write_text("no image at all")
    result = run("evaluate", "bicubic", "nearest", "--data", "data", "--scale", "4", "--json")
    assert result.exit_code == 1
    assert "data/cut.png: is damaged or truncated" in result.stderr
    assert "data/text.png: is not an image" in result.stderr
    assert result.stderr.count("cut.png") == 1
    assert "2 of 5 images could not be measured" in result.stderr
    measured = json.loads(result.stdout)
    assert measured["images"] == 3
    assert measured["metrics"][:2] == whole["metrics"]


def test_evaluate_says_which_images_are_infinite_or_too_small(run: Run, tmp_path: Path) -> None:
    for number in range(2):
        photo(tmp_path / "data" / f"{number}.png", seed=number)
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "data" / "black.png")
    photo(tmp_path / "data" / "icon.png", 16)
    result = run("evaluate", "bicubic", "--data", "data", "--scale", "4", "--json")
    assert result.exit_code == 0
    assert "1 of 4 images is smaller than 19 pixels and left out: icon.png" in result.stderr
    found = json.loads(result.stdout)
    psnr, ssim = found["metrics"]
    values = {row["image"]: row["value"] for row in found["per_image"] if row["name"] == "psnr"}
    assert values.pop("black.png") is None
    assert psnr["value"] == pytest.approx(sum(values.values()) / 3)
    assert (psnr["images"], psnr["left_out"], ssim["left_out"]) == (4, 1, 1)
    assert "1 of 4 images is perfect, which makes it infinite, and left out: black.png" in result.stderr
    assert [row["state"] for row in found["per_image"] if row["value"] is None] == ["infinite", "nan"]
    shown = run("evaluate", "bicubic", "--data", "data", "--scale", "4").stdout
    assert f"{psnr['value']:.4f} over 3 of 4 images" in shown
    assert math.isfinite(ssim["value"])


def test_every_frame_becomes_a_result_if_asked_for(run: Run, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "lime", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    photo(tmp_path / "b.png", 8)
    arguments = ("a.gif", "b.png", "--scale", "1", "--output")
    assert run("predict", "nearest", *arguments, "all", "--frame", "all").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["a-1.png", "a-2.png", "a-3.png", "b.png"]
    result = run("predict", "nearest", "a.gif", "--scale", "1", "--output", "second", "--frame", "2")
    assert "frames" not in result.stderr
    with Image.open(tmp_path / "second" / "a.png") as second, Image.open(tmp_path / "all" / "a-2.png") as other:
        assert second.getpixel((0, 0)) == other.getpixel((0, 0)) == (0, 255, 0)
    assert "has no frame 4; it has 3" in run("predict", "nearest", "a.gif", "--output", "no", "--frame", "4").stderr
    assert run("predict", "nearest", "a.gif", "--scale", "1", "--output", "one").stderr.count("has 3 frames") == 1


def test_links_to_one_file_are_images_of_their_own(run: Run, tmp_path: Path) -> None:
    photo(tmp_path / "store.png", 8)
    (tmp_path / "links").mkdir()
    for number in range(3):
        (tmp_path / "links" / f"{number}.png").symlink_to("../store.png")
    assert run("predict", "nearest", "links", "links/0.png", "--scale", "1", "--output", "out").exit_code == 0
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_an_unforeseen_error_of_one_image_does_not_end_the_batch(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from restore.core.images import decoding

    real = decoding.decode

    def fails(path: Path, frame: int | None = None) -> Any:
        if path.name == "a.png":
            raise AttributeError("no such thing")
        return real(path, frame)

    monkeypatch.setattr(decoding, "decode", fails)
    for name in ("a", "b"):
        photo(tmp_path / "data" / f"{name}.png", 8)
    result = run("predict", "nearest", "data", "--scale", "1", "--output", "out")
    assert result.exit_code == 1
    assert "data/a.png: AttributeError: no such thing" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_names_that_are_not_utf8_are_read_measured_and_written(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    name = b"caf\xe9.png"
    try:
        photo(tmp_path / "plain.png").rename(folder / name.decode("utf-8", "surrogateescape"))
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    found = json.loads(run("evaluate", "bicubic", "--data", "data", "--scale", "4", "--json").stdout)
    assert found["per_image"][0]["image"] == "caf\ufffd.png"
