"""``restore data check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile
from typer.testing import CliRunner

from restore.cli.app import app


def run(*arguments: str | Path) -> tuple[int, str]:
    """Return exit status and output of a command."""
    result = CliRunner().invoke(app, ["data", "check", *map(str, arguments)])
    return result.exit_code, result.output


def told(folder: Path, *arguments: str | Path, problems: bool) -> list[tuple[bool, str, list[str]]]:
    """Return the findings about a folder: whether each is a problem, its text, and the names of its files."""
    result = CliRunner().invoke(app, ["data", "check", str(folder), "--json", *map(str, arguments)])
    assert result.exit_code == problems, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return [(each["problem"], each["text"], [Path(file).name for file in each["files"]]) for each in found]


def draw(path: Path, seed: int = 0, size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Path:
    """Write an image of noise; ``size`` is width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = {"RGB": 3, "L": 1, "RGBA": 4}[mode]
    pixels = np.random.default_rng(seed).integers(256, size=(size[1], size[0], channels), dtype=np.uint8)
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(path)
    return path


def test_good_images_can_be_trained_on(tmp_path: Path) -> None:
    for seed in range(3):
        draw(tmp_path / f"{seed}.png", seed, (40 + seed, 30))
    status, output = run(tmp_path)
    assert status == 0
    assert "3 files, 40x30 to 42x30 pixels, median 41x30; RGB, 8 bits" in output
    assert output.rstrip().endswith("can be trained on.")


def test_a_damaged_file_is_named_with_its_reason(tmp_path: Path) -> None:
    good = draw(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:200])
    ((problem, text, names),) = told(tmp_path, problems=True)
    assert (problem, names) == (True, ["cut.png"])
    assert text.startswith("cannot be read: ")


def test_equal_pixels_are_noted_and_between_splits_they_are_a_problem(tmp_path: Path) -> None:
    draw(tmp_path / "train" / "a.png", 1)
    draw(tmp_path / "train" / "b.bmp", 1)
    draw(tmp_path / "train" / "c.png", 2)
    draw(tmp_path / "val" / "d.png", 2)
    doubled, shared = told(tmp_path, problems=True)
    assert (doubled[0], doubled[2]) == (False, ["a.png", "b.bmp"])
    assert (shared[0], shared[2]) == (True, ["c.png", "d.png"])
    assert "train and val" in shared[1]


def test_small_and_mixed_images_are_told(tmp_path: Path) -> None:
    for seed in range(3):
        draw(tmp_path / f"{seed}.png", seed)
    draw(tmp_path / "gray.png", 7, mode="L")
    draw(tmp_path / "small.png", 8, (20, 40))
    small, mixed = told(tmp_path, "--crop-size", 24, problems=True)
    assert (small[0], small[2]) == (True, ["small.png"])
    assert mixed == (False, "gray, 8 bits, where most are RGB, 8 bits", ["gray.png"])


def test_pairs_of_one_scale_are_good_and_another_scale_is_a_problem(tmp_path: Path) -> None:
    for seed in range(3):
        draw(tmp_path / "LR" / f"{seed}.png", seed, (20, 10))
        draw(tmp_path / "HR" / f"{seed}.png", seed + 10, (40, 20))
    assert told(tmp_path, problems=False) == [(False, "targets are 2 times larger than inputs", [])]
    draw(tmp_path / "HR" / "2.png", 12, (60, 30))
    assert told(tmp_path, problems=True)[1] == (True, "another scale than 2", ["2.png"])
    (tmp_path / "HR" / "2.png").unlink()
    ((problem, text, _),) = told(tmp_path, problems=True)
    assert problem
    assert "2.png" in text


def test_masks_are_matched_measured_and_explained(tmp_path: Path) -> None:
    for name in "abc":
        draw(tmp_path / "images" / f"{name}.png", ord(name))
        (tmp_path / "masks").mkdir(exist_ok=True)
        half = np.zeros((30, 40), np.uint8)
        half[:, :20] = 255
        Image.fromarray(half).save(tmp_path / "masks" / f"{name}_mask.png")
    ((problem, text, _),) = told(tmp_path, problems=False)
    assert not problem
    assert text.startswith("masks: one class")
    Image.fromarray(half[:, :30]).save(tmp_path / "masks" / "a_mask.png")
    (tmp_path / "masks" / "b_mask.png").rename(tmp_path / "masks" / "d_mask.png")
    found = {text: names for problem, text, names in told(tmp_path, problems=True) if problem}
    assert found == {
        "no mask of this name": ["b.png"],
        "no image of this name": ["d_mask.png"],
        "another size than its image": ["a_mask.png"],
    }


def test_each_mask_is_decoded_once_and_one_of_colors_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []

    def count(image: Image.Image) -> object:
        decoded.append(Path(image.fp.name).name)  # type: ignore[union-attr]
        return load(image)

    load = PngImageFile.load_prepare
    (tmp_path / "masks").mkdir()
    for number, colors in enumerate(([0, 0, 0, 200, 0, 0, 0, 200, 0], [0, 0, 0, 255, 255, 255], None)):
        draw(tmp_path / "images" / f"{number}.png", number)
        mask = Image.fromarray(np.tile(np.arange(3, dtype=np.uint8)[:, None] % 2, (10, 40)))
        if colors is None:
            mask = Image.new("RGB", (40, 30), (1, 2, 3))
        else:
            mask.putpalette(colors)
        mask.save(tmp_path / "masks" / f"{number}.png")
    monkeypatch.setattr(PngImageFile, "load_prepare", count)
    (_, wrong, names), (_, text, _) = told(tmp_path, problems=True)
    assert sorted(decoded) == sorted(2 * [f"{number}.png" for number in range(3)])
    assert (wrong.partition(";")[0], names) == ("cannot be read: is a color image", ["2.png"])
    assert text.startswith("masks: ")


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ((), "no images here"),
        (("DIV2K_train_HR",), "this is DIV2K"),
        (("OriginalImages",), "restore data align"),
        (("LR",), "has LR/ but no HR/"),
        (("holiday", "garden"), "sub-folders garden, holiday have images"),
    ],
)
def test_what_is_no_layout_is_answered_with_what_helps(tmp_path: Path, folders: tuple[str, ...], words: str) -> None:
    for folder in folders:
        draw(tmp_path / folder / "a.png")
    status, output = run(tmp_path)
    assert status == 2
    assert words in " ".join(output.split())


def test_a_folder_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    status, output = run(tmp_path / "nowhere")
    assert status == 2
    assert "no such folder" in output
