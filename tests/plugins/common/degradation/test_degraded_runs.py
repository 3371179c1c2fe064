"""Training and measuring with degraded inputs, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from typer.testing import CliRunner

from restore.cli.app import app
from restore.core.images.files import write_image

COMMON = (
    *("--epochs", "2", "--samples-per-epoch", "4", "--batch-size", "2", "--device", "cpu", "--sample-images", "1"),
    *("--workers", "0", "--precision", "fp32", "--name", "run"),
)
SRGAN = (
    *("srgan", "--model.channels", "4", "--model.blocks", "1", "--scale", "2", "--crop-size", "16", *COMMON),
    *("--perceptual.weight", "0", "--discriminator.channels", "2", "--discriminator.hidden", "4"),
)
RESTORER = ("restorer", "--model.channels", "4", "--model.depth", "3", "--crop-size", "16", *COMMON)

pytestmark = pytest.mark.usefixtures("one_thread", "seeded")


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of images in the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        write_image(folder / f"{number}.png", torch.rand(3, 24, 32))
    return folder


def restore(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), prog_name="restore")


def done(*arguments: str) -> Any:
    result = restore(*arguments)
    assert result.exit_code == 0, result.stderr
    return result


def conventions(text: str) -> set[str]:
    return {number["convention"] for number in json.loads(text)["metrics"] if number["name"] in ("psnr", "ssim")}


def test_srgan_learns_from_degraded_inputs_and_says_so_with_every_number() -> None:
    given = ("--degradation.preset", "jpeg", "--degradation.last.noise.probability", "0")
    done("train", *SRGAN, "--data", "photos", *given)
    config = yaml.safe_load(Path("runs/run/config.yaml").read_text(encoding="utf-8"))
    settings = config.get("settings", config)
    assert settings["degradation"] == {"preset": "jpeg", "last": {"noise": {"probability": 0.0}}}
    summary = Path("runs/run/summary.json").read_text(encoding="utf-8")
    assert conventions(summary) == {"8-bit Y, border 2, jpeg last.noise.probability=0"}
    done("train", "srgan", "--resume", "runs/run", "--epochs", "3")
    refused = restore("train", "srgan", "--resume", "runs/run", "--degradation.preset", "photo")
    assert refused.exit_code == 2
    assert "degradation" in refused.stderr
    clean = done("evaluate", "runs/run", "--data", "photos", "--json").stdout
    assert conventions(clean) == {"8-bit Y, border 2"}
    degraded = done("evaluate", "runs/run", "--data", "photos", "--json", "--degradation.preset", "jpeg").stdout
    assert conventions(degraded) == {"8-bit Y, border 2, jpeg"}


def test_classical_upscaling_is_measured_on_the_same_degraded_inputs() -> None:
    def psnr(*given: str) -> float:
        found = done("evaluate", "bicubic", "--data", "photos", "--scale", "2", "--json", *given).stdout
        return float(next(each["value"] for each in json.loads(found)["metrics"] if each["name"] == "psnr"))

    certain = ("--degradation.preset", "jpeg", "--degradation.last.compression.probability", "1")
    qualities = [psnr(*certain, "--degradation.last.compression.quality", q, q) for q in ("20", "50", "95")]
    assert qualities == sorted(qualities)
    assert qualities[-1] < psnr()
    assert psnr(*certain) == psnr(*certain)


def test_restorer_has_a_dataset_of_degraded_images() -> None:
    chosen = ("--dataset", "degraded", "--dataset.degradation.preset", "jpeg")
    done("train", *RESTORER, "--data", "photos", *chosen)
    expected = {"8-bit RGB, restorer/degraded degradation=jpeg"}
    assert conventions(Path("runs/run/summary.json").read_text(encoding="utf-8")) == expected
    measured = done("evaluate", "runs/run", "identity", "--data", "photos", "--json", *chosen).stdout
    assert conventions(measured) == expected


def test_a_dataset_that_degrades_nothing_is_refused() -> None:
    result = restore("train", *RESTORER, "--dataset", "degraded", "--dataset.degradation.preset", "none")
    assert result.exit_code == 2
    assert "nothing degrades the images" in " ".join(result.stderr.split())


def test_pairs_are_not_degraded_and_the_message_says_what_to_do(photos: Path) -> None:
    (photos / "HR").mkdir()
    (photos / "LR").mkdir()
    for path in list(photos.glob("*.png")):
        path.rename(photos / "HR" / path.name)
        write_image(photos / "LR" / path.name, torch.rand(3, 12, 16))
    result = restore("train", *SRGAN, "--data", "photos", "--degradation.preset", "jpeg")
    assert result.exit_code == 2
    assert "photos has pairs, whose inputs are used as they are" in " ".join(result.stderr.split())
    assert not Path("runs").exists()


def test_an_unknown_preset_is_refused_with_those_that_there_are() -> None:
    result = restore("train", *SRGAN, "--degradation.preset", "phone")
    assert result.exit_code == 2
    assert all(name in result.stderr for name in ("none", "jpeg", "photo", "real-esrgan"))
