"""What one plugin registers in the tasks of another, chosen by name: on the command line, in files, from Python."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import foreign_plugin
import pytest
import torch
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.core.contracts import UnfitForRole
from restore.core.images.files import write_image
from restore.core.weights.header import read_header
from restore.plugins.common.weighted_losses import join_terms
from restore.plugins.srgan.settings import ModelSettings, SRGANSettings
from restore.plugins.srgan.task import SRGAN

TINY = (
    *("--epochs", "2", "--samples-per-epoch", "4", "--batch-size", "2", "--crop-size", "32", "--device", "cpu"),
    *("--sample-images", "1", "--perceptual.weight", "0", "--workers", "0", "--precision", "fp32", "--name", "run"),
)


@pytest.fixture
def installed(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory where the plugin of others is installed."""
    foreign_plugin.install(site)
    monkeypatch.syspath_prepend(str(site.folder))
    monkeypatch.chdir(tmp_path)
    registry.reset()
    yield tmp_path
    registry.reset()
    for name in [name for name in sys.modules if name.partition(".")[0] == "foreign"]:
        del sys.modules[name]


@pytest.fixture
def restore(installed: Path) -> Callable[..., Any]:
    return lambda *arguments: CliRunner().invoke(app, list(arguments), prog_name="restore")


def said(result: Any) -> str:
    return " ".join(result.stderr.split())


def test_the_settings_of_an_architecture_are_flags_and_stand_in_the_help(restore: Callable[..., Any]) -> None:
    shown = " ".join(restore("train", "srgan", "--arch", "foreign/shuffle", "--help").stdout.split())
    assert "--model.kernel INT Side of the kernel. [default: 3; >=1, <=9]" in shown
    assert "--model.blocks INT" not in shown
    assert "foreign/shuffle" in shown
    assert "--model.kernel" not in restore("train", "srgan", "--help").stdout


@pytest.mark.parametrize("place", ["--arch=foreign/shuffle", "a file", "plugins.toml"])
def test_print_config_writes_the_settings_wherever_the_name_stands(
    installed: Path, restore: Callable[..., Any], place: str
) -> None:
    words = [place] if place.startswith("--") else []
    if place == "a file":
        (installed / "mine.yaml").write_text("model: {architecture: foreign/shuffle, kernel: 5}\n")
        words = ["--config", "mine.yaml"]
    if place == "plugins.toml":
        (installed / "plugins.toml").write_text('[plugin.srgan.model]\narchitecture = "foreign/shuffle"\nkernel = 5\n')
        registry.reset()
    printed = restore("train", "srgan", *words, "--model.kernel", "7", "--print-config")
    assert printed.exit_code == 0, printed.stderr
    assert yaml.safe_load(printed.stdout)["model"] == {"architecture": "foreign/shuffle", "scale": 4, "kernel": 7}


def test_a_network_of_another_plugin_is_trained_resumed_and_used(installed: Path, restore: Callable[..., Any]) -> None:
    words = ("--arch", "foreign/shuffle", "--scale", "2", "--discriminator.architecture", "foreign/scores")
    trained = restore("train", "srgan", *words, *TINY, "--model.kernel", "5")
    assert trained.exit_code == 0, trained.stderr
    header = read_header(installed / "runs/run/best.safetensors")
    assert header.model == {"architecture": "foreign/shuffle", "scale": 2, "kernel": 5}
    assert header.plugins["foreign"] == "restore-foreign==1.2"
    resumed = restore("train", "srgan", "--resume", "runs/run", "--epochs", "3")
    assert resumed.exit_code == 0, resumed.stderr
    write_image(Path("small.png"), torch.rand(3, 10, 12))
    used = restore("predict", "runs/run", "small.png", "--output", "out")
    assert used.exit_code == 0, used.stderr
    assert (installed / "out/small.png").is_file()


@pytest.mark.parametrize("task", ["unet", "nested-unet", "deeplab"])
def test_every_segmentation_task_trains_a_network_of_another_plugin(
    installed: Path, restore: Callable[..., Any], task: str
) -> None:
    words = ("--arch", "foreign/segmenter", "--model.channels", "3", "--size", "32", "32", "--epochs", "1")
    trained = restore("train", task, *words, *TINY[2:6], *TINY[8:12], "--name", "run")
    assert trained.exit_code == 0, trained.stderr
    model = read_header(installed / "runs/run/best.safetensors").model
    assert (model["architecture"], model["channels"]) == ("foreign/segmenter", 3)
    write_image(Path("cells.png"), torch.rand(3, 40, 50))
    used = restore("predict", "runs/run", "cells.png", "--output", "out")
    assert used.exit_code == 0, used.stderr


def test_a_network_without_a_backbone_is_not_pretrained(restore: Callable[..., Any]) -> None:
    refused = restore("train", "deeplab", "--arch", "foreign/segmenter", "--pretrained")
    assert refused.exit_code == 2
    assert "foreign/segmenter has no backbone of torchvision" in said(refused)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--arch", "unet/unet"], "--arch: architecture unet/unet is registered for segmentation, not for super-"),
        (["--arch", "foreign/shufle"], "has no architecture 'shufle'; did you mean 'foreign/shuffle'?"),
        (["--arch", "foreign/shuffle", "--model.kernel", "12"], "--model.kernel: should be less than or equal to 9"),
        (["--arch", "foreign/too-small"], "foreign/too-small cannot be used for super-resolution: built with scale=4"),
        (["--arch", "foreign/fixed-scale"], "unexpected keyword argument 'scale'"),
        (["--arch", "foreign/clashing"], "its settings class ClashingSettings has scale"),
        (["--arch", "foreign/denoiser"], "is registered for restoration, not for super-resolution"),
    ],
)
def test_an_architecture_that_does_not_fit_is_refused_before_a_folder_is_made(
    installed: Path, restore: Callable[..., Any], words: list[str], message: str
) -> None:
    refused = restore("train", "srgan", *words, *TINY)
    assert refused.exit_code in (1, 2)
    assert message in said(refused)
    assert "Traceback" not in refused.stderr
    assert not (installed / "runs").exists()


SMALL = ("--arch", "srgan/compact", "--model.channels", "4", "--model.blocks", "1", "--scale", "2")


def test_losses_of_another_plugin_are_weighted_and_logged_under_their_names(
    installed: Path, restore: Callable[..., Any]
) -> None:
    losses = ("--loss", "common/l1", "--loss", "foreign/edges,weight=0.5,share=3")
    trained = restore("train", "srgan", *SMALL, *losses, *TINY, "--log-every", "1")
    assert trained.exit_code == 0, trained.stderr
    config = yaml.safe_load((installed / "runs/run/config.yaml").read_text())
    assert config["loss"][1] == {"name": "foreign/edges", "weight": 0.5, "share": 3.0}
    assert config["run"]["plugins"]["foreign"] == "restore-foreign==1.2"
    logged = [json.loads(line) for line in (installed / "runs/run/metrics.jsonl").read_text().splitlines()]
    first = next(line for line in logged if "generator/l1" in line)
    assert first["generator/foreign_edges_l1"] == pytest.approx(0.5 * first["generator/l1"])
    assert "generator/edges" in first
    resumed = restore("train", "srgan", "--resume", "runs/run", "--epochs", "3")
    assert resumed.exit_code == 0, resumed.stderr


def test_a_perceptual_loss_is_chosen_by_name(installed: Path, restore: Callable[..., Any]) -> None:
    loss = '{"name": "common/perceptual", "network": "vgg16", "layers": {"relu1_2": 1}, "weights": "random"}'
    words = ("--loss", "common/l1", "--loss", loss, *TINY, "--log-every", "1", "--adversarial.epochs", "0")
    trained = restore("train", "srgan", *SMALL, *words)
    assert trained.exit_code == 0, trained.stderr
    assert "generator/perceptual" in (installed / "runs/run/metrics.jsonl").read_text()


SMALL_INPAINTING = {
    "lbam": ("--model.channels", "1", "--discriminator.channels", "1", "--style.weight", "0"),
    "inpaint-gan": ("--model.channels", "4", "--model.depth", "3", "--discriminator.channels", "4"),
}


@pytest.mark.parametrize("task", SMALL_INPAINTING)
def test_inpainting_is_trained_with_a_loss_of_another_plugin(
    installed: Path, restore: Callable[..., Any], task: str
) -> None:
    losses = ("--loss", "masked-l1,hole=3", "--loss", "foreign/edges,weight=0.5")
    trained = restore("train", task, *losses, *SMALL_INPAINTING[task], *TINY, "--log-every", "1")
    assert trained.exit_code == 0, trained.stderr
    log = [json.loads(line) for line in (installed / "runs/run/metrics.jsonl").read_text().splitlines()]
    terms = {"generator/l1_hole", "generator/l1_known", "generator/l1", "generator/edges"}
    assert all(terms <= line.keys() for line in log if "generator/l1" in line)
    assert {"pretrain", "adversarial"} <= {line.get("phase") for line in log if terms <= line.keys()}
    refused = restore("train", task, "--loss", "unet/dice", *TINY, "--name", "other")
    assert refused.exit_code == 2
    assert "loss unet/dice is registered for segmentation, not for pixel or perceptual or inpainting" in said(refused)
    assert not (installed / "runs/other").exists()


def test_no_term_is_lost_when_losses_give_it_the_same_name() -> None:
    one, two, three = ({"l1": torch.tensor(value)} for value in (1.0, 2.0, 3.0))
    joined = join_terms(join_terms(one, two, "mine"), three, "mine")
    assert {name: float(value) for name, value in joined.items()} == {"l1": 1.0, "mine_l1": 2.0, "mine_l1_2": 3.0}


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("unet/dice", "--loss: loss unet/dice is registered for segmentation, not for pixel or perceptual"),
        ("foreign/edges,shares=2", "--loss: there is no 'shares'"),
        ("common/l1,weight=heavy", "--loss: weight should be a valid number"),
        ("common/l1,2", "--loss: '2' has no value; write NAME,setting=value"),
        ("foreign/unnamed", "foreign/unnamed cannot be used as a loss of role pixel"),
    ],
)
def test_a_loss_that_does_not_fit_is_refused_before_a_folder_is_made(
    installed: Path, restore: Callable[..., Any], loss: str, message: str
) -> None:
    refused = restore("train", "srgan", "--loss", loss, *TINY)
    assert refused.exit_code == 2
    assert message in said(refused)
    assert not (installed / "runs").exists()


@pytest.mark.usefixtures("installed")
def test_settings_know_their_architecture_from_python_too() -> None:
    chosen = SRGANSettings(model={"architecture": "foreign/shuffle", "kernel": 5, "scale": 2})
    assert chosen.model.own_values() == {"kernel": 5}
    assert SRGANSettings.model_validate(chosen.model_dump()) == chosen
    assert ModelSettings(architecture="foreign/shuffle", scale=2, kernel=5) == chosen.model
    assert chosen.model.model_copy(update={"scale": 3}).own_values() == {"kernel": 5}
    with pytest.raises(ValidationError, match=r"model\.blocks"):
        SRGANSettings(model={"architecture": "foreign/shuffle", "blocks": 5})


@pytest.mark.usefixtures("installed")
def test_a_broken_contract_is_one_sentence() -> None:
    task = SRGAN(SRGANSettings(model={"architecture": "foreign/too-small", "scale": 2}))
    with pytest.raises(UnfitForRole) as raised:
        task.networks()
    assert str(raised.value) == (
        "foreign/too-small cannot be used for super-resolution: built with scale=2 and called with an image of "
        "64 x 48 pixels, it returns a tensor of shape (1, 3, 48, 64), not (1, 3, 96, 128)"
    )
