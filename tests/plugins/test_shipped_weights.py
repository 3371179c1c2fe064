"""The weights that ship: small, documented, and better than what needs no training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.core.images.files import write_image
from restore.core.weights.header import read_header
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.images.samples import photographs

ROOT = Path(__file__).parents[2]
SHIPPED = [entry for entry in registry.entries("weights") if entry.distribution == "restorekit"]


def test_all_of_them_are_small() -> None:
    assert "upscale" in {entry.name for entry in SHIPPED}
    assert sum(Path(entry.load()).stat().st_size for entry in SHIPPED) < 12e6


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_the_card_names_data_license_limits_and_a_recipe_of_the_same_network(entry: registry.Entry) -> None:
    header = read_header(entry.load())
    assert {"data", "license", "use", "limits", "recipe"} <= set(header.card)
    recipe = yaml.safe_load((ROOT / header.card["recipe"]).read_text("utf-8"))
    assert header.model.items() >= recipe["model"].items()
    kinds = {tensor.dtype for tensor in load_file(entry.load()).values()}
    assert kinds - {torch.int64} == {torch.float16}  # batch normalization counts its batches
    assert header.numbers


@pytest.mark.parametrize(
    ("name", "scale", "quality", "gain"),
    [
        ("upscale", 4, None, 0.6),
        ("upscale", 4, 40, 0.3),
        ("upscale-x2", 2, None, 1.0),
        ("upscale-clean", 4, None, 0.9),
        ("upscale-clean-x3", 3, None, 1.0),
        ("upscale-clean-x2", 2, None, 1.5),
    ],
)
def test_weights_are_better_than_bicubic(
    tmp_path: Path, name: str, scale: int, quality: int | None, gain: float
) -> None:
    """On photographs that it never saw, as they are and after JPEG."""
    images = photographs("validation")
    hr, lr = tmp_path / "HR", tmp_path / "LR"
    hr.mkdir()
    lr.mkdir()
    for index in range(len(images)):
        target = images[index][:, :192, :192]
        write_image(hr / f"{index}.png", target / 255)
        small = Image.fromarray(imresize(target, 1 / scale).permute(1, 2, 0).numpy())
        if quality is not None:
            small.save(tmp_path / "small.jpg", quality=quality)
            small = Image.open(tmp_path / "small.jpg")
        small.save(lr / f"{index}.png")
    arguments = ["evaluate", name, "bicubic", "--data", str(tmp_path), "--json", "--device", "cpu"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    psnr = {row["of"]: row["value"] for row in json.loads(done.stdout)["metrics"] if row["name"] == "psnr"}
    assert psnr[name] > psnr["bicubic"] + gain


@pytest.mark.parametrize(("sigma", "quality", "gain"), [(0, 30, 0.5), (0, 90, 0.0), (12, 60, 2.0)])
def test_restore_photo_is_better_than_its_input(tmp_path: Path, sigma: int, quality: int, gain: float) -> None:
    """On photographs that it never saw."""
    images = photographs("validation")
    degraded, clean = tmp_path / "inputs", tmp_path / "targets"
    degraded.mkdir()
    clean.mkdir()
    for index in range(len(images)):
        target = images[index][:, :160, :160]
        write_image(clean / f"{index}.png", target / 255)
        noise = sigma * torch.randn(target.shape, generator=torch.Generator().manual_seed(index))
        noisy = (target + noise).round().clamp(0, 255).byte()
        Image.fromarray(noisy.permute(1, 2, 0).numpy()).save(degraded / f"{index}.jpg", quality=quality)
    call = ["evaluate", "restore-photo", "identity", "--data", str(tmp_path), "--dataset", "restorer/pairs"]
    done = CliRunner().invoke(app, [*call, "--protocol", "y8", "--json", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    psnr = {row["of"]: row["value"] for row in json.loads(done.stdout)["metrics"] if row["name"] == "psnr"}
    assert psnr["restore-photo"] > psnr["identity"] + gain


def test_nuclei_finds_drawn_nuclei_of_other_colors(tmp_path: Path) -> None:
    """The synthetic nuclei of the sample look unlike those that it learned; most of them are found nevertheless."""
    done = CliRunner().invoke(app, ["evaluate", "nuclei", "--json", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    iou = next(row["value"] for row in json.loads(done.stdout)["metrics"] if row["name"] == "iou")
    assert iou > 0.3
