"""``restore degrade``: its pairs, what training and evaluation make of them, and what a person may get wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from restore.cli.app import app
from restore.core.images.files import read_image, write_image
from restore.core.images.pixels import to_uint8
from restore.plugins.common.images.resize import imresize

pytestmark = pytest.mark.usefixtures("one_thread", "seeded")


def restore(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), prog_name="restore")


def said(result: Any) -> str:
    return " ".join((result.stderr + result.stdout).split())


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three images in the working directory: of several sizes, one gray, one with alpha."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    write_image(folder / "a.png", torch.rand(3, 37, 50))
    Image.fromarray(to_uint8(torch.rand(40, 33)).numpy()).save(folder / "b.png")
    Image.fromarray(to_uint8(torch.rand(36, 36, 4)).numpy()).save(folder / "c.png")
    return folder


def files(folder: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*.png"))


def test_the_pairs_fit_and_are_accepted_as_data(photos: Path) -> None:
    result = restore("degrade", "photos", "--preset", "jpeg", "--output", "pairs")
    assert result.exit_code == 0, said(result)
    assert "3 pairs of scale 4, jpeg: pairs" in said(result)
    assert files("pairs") == [f"{part}/{name}.png" for part in ("HR", "LR") for name in "abc"]
    large, small = (read_image(Path("pairs") / part / "a.png").color for part in ("HR", "LR"))
    assert torch.equal(to_uint8(large), to_uint8(read_image(photos / "a.png").color)[:, :36, :48])
    assert small.shape == (3, 9, 12)
    measured = restore("evaluate", "bicubic", "--data", "pairs", "--json")
    assert json.loads(measured.stdout)["images"] == 3


def test_an_evaluation_with_the_same_preset_sees_the_same_inputs() -> None:
    def psnr(*given: str) -> list[float]:
        found = json.loads(restore("evaluate", "bicubic", "--protocol", "rgb", "--scale", "2", "--json", *given).stdout)
        return [number["value"] for number in found["metrics"]]

    color = Path("color")
    color.mkdir()
    Path("photos/a.png").rename(color / "a.png")
    assert restore("degrade", "color", "--preset", "real-esrgan", "--scale", "2").exit_code == 0
    assert psnr("--data", "pairs") == pytest.approx(psnr("--data", "color", "--preset", "real-esrgan"))


def test_at_scale_one_there_are_inputs_and_targets_and_seeds_differ() -> None:
    for seed in ("0", "1"):
        result = restore("degrade", "photos", "--scale", "1", "--seed", seed, "--output", f"pairs{seed}")
        assert result.exit_code == 0, said(result)
    assert files("pairs0") == [f"{part}/{name}.png" for part in ("inputs", "targets") for name in "abc"]
    assert restore("degrade", "photos", "--scale", "1", "--output", "again").exit_code == 0
    for name in "abc":
        made = [Path(each) / "inputs" / f"{name}.png" for each in ("pairs0", "pairs1", "again")]
        first, second, again = (path.read_bytes() for path in made)
        assert first == again
        assert first != second
    trained = restore(
        *("train", "restorer", "--dataset", "pairs", "--data", "pairs0", "--model.channels", "4", "--model.depth", "3"),
        *("--crop-size", "16", "--epochs", "1", "--samples-per-epoch", "2", "--batch-size", "2", "--device", "cpu"),
    )
    assert trained.exit_code == 0, said(trained)


def test_without_a_preset_inputs_are_bicubic() -> None:
    assert restore("degrade", "photos", "--preset", "none", "--scale", "2").exit_code == 0
    large, small = (to_uint8(read_image(Path("pairs") / part / "a.png").color) for part in ("HR", "LR"))
    assert torch.equal(small, imresize(large, 1 / 2))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nowhere",), "nowhere: no such folder"),
        (("photos/a.png",), "photos/a.png"),
        (("empty",), "no images"),
        (("paired",), "paired: the good images of these pairs are in paired/HR; degrade that folder"),
        (("photos", "--preset", "phone"), "real-esrgan"),
        (("photos", "--scale", "9"), "--scale"),
        (("photos", "--scale", "1", "--preset", "none"), "set --preset or --scale"),
        (("photos", "--output", "photos"), "choose another one"),
        (("photos", "--output", "photos/a.png"), "photos/a.png"),
        (("photos", "--degradation.last.compression.quality", "90", "30"), "smallest value, 90, is above"),
        (("photos", "--degradation.last.compression.quality", "high"), "--degradation.last.compression.quality"),
        ((), "FOLDER"),
    ],
)
def test_a_wrong_command_line_is_one_message_and_writes_nothing(arguments: tuple[str, ...], complaint: str) -> None:
    Path("empty").mkdir()
    Path("paired/HR").mkdir(parents=True)
    before = sorted(Path().rglob("*"))
    result = restore("degrade", *arguments)
    assert result.exit_code == 2, said(result)
    assert complaint in said(result)
    assert "Traceback" not in said(result)
    assert sorted(Path().rglob("*")) == before


def test_existing_pairs_are_kept_unless_they_are_to_be_replaced() -> None:
    assert restore("degrade", "photos").exit_code == 0
    kept = Path("pairs/LR/a.png").read_bytes()
    refused = restore("degrade", "photos", "--preset", "jpeg")
    assert refused.exit_code == 2
    assert "already exists" in said(refused)
    assert Path("pairs/LR/a.png").read_bytes() == kept
    assert restore("degrade", "photos", "--preset", "jpeg", "--seed", "3", "--overwrite").exit_code == 0
    assert Path("pairs/LR/a.png").read_bytes() != kept


def test_what_cannot_be_read_is_named_and_the_others_are_written(caplog: pytest.LogCaptureFixture) -> None:
    Path("photos/broken.jpg").write_bytes(b"no image")
    write_image(Path("photos/tiny.png"), torch.rand(3, 2, 2))
    result = restore("degrade", "photos")
    assert result.exit_code == 1
    told = said(result) + " ".join(caplog.messages)
    assert "2 of 5 images could not be degraded" in told
    assert "broken.jpg" in told
    assert "tiny.png" in told
    assert files("pairs") == [f"{part}/{name}.png" for part in ("HR", "LR") for name in "abc"]


def test_images_that_differ_in_the_suffix_alone_stay_apart() -> None:
    Image.new("RGB", (20, 20), "red").save("photos/a.jpg")
    assert restore("degrade", "photos").exit_code == 0
    assert files("pairs/LR") == ["a.jpg.png", "a.png.png", "b.png", "c.png"]
