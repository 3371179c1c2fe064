"""Datasets of one plugin in the tasks of another, chosen by name: trained on, resumed and measured on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets_plugin
import pytest
import torch
import yaml
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.core.images.files import write_image
from restore.core.testing.components import check_component
from restore.core.testing.under_test import NotApplicable

COMMON = (
    *("--epochs", "2", "--samples-per-epoch", "4", "--batch-size", "2", "--device", "cpu", "--sample-images", "1"),
    *("--workers", "0", "--precision", "fp32", "--name", "run"),
)
RESTORER = ("restorer", "--model.channels", "4", "--model.depth", "3", "--crop-size", "16", *COMMON)
SRGAN = (
    *("srgan", "--model.channels", "4", "--model.blocks", "1", "--scale", "2", "--crop-size", "16", *COMMON),
    *("--perceptual.weight", "0", "--discriminator.channels", "2", "--discriminator.hidden", "4"),
)
TINY: dict[str, tuple[str, ...]] = {
    "restorer": RESTORER,
    "srgan": SRGAN,
    "lbam": (
        *("lbam", "--model.channels", "1", "--discriminator.channels", "1", "--crop-size", "32", *COMMON),
        *("--perceptual.weight", "0", "--style.weight", "0"),
    ),
    "unet": ("unet", "--model.channels", "4", "--model.depth", "2", "--size", "32", "32", *COMMON),
    "vae": ("vae", "--model.channels", "4", "--model.depth", "2", "--crop-size", "16", *COMMON),
}


@pytest.fixture
def installed(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory where the plugin of others is installed."""
    datasets_plugin.install(site)
    monkeypatch.syspath_prepend(str(site.folder))
    monkeypatch.chdir(tmp_path)
    registry.reset()
    torch.set_num_threads(1)
    yield tmp_path
    registry.reset()
    for name in [name for name in sys.modules if name.partition(".")[0] == "faraway"]:
        del sys.modules[name]


@pytest.fixture
def restore(installed: Path) -> Callable[..., Any]:
    return lambda *arguments: CliRunner().invoke(app, list(arguments), prog_name="restore")


def said(result: Any) -> str:
    return " ".join(result.stderr.split())


def test_the_settings_of_a_dataset_are_flags_and_stand_in_the_help(restore: Callable[..., Any]) -> None:
    shown = " ".join(restore("train", "restorer", "--dataset", "faraway/dark", "--help").stdout.split())
    assert "--dataset.exponent FLOAT Exponent by which they are darkened. [default: 2.0; >1]" in shown
    assert "--dataset.noise" not in shown
    assert "faraway/dark" in shown
    assert "--dataset.noise" in restore("train", "restorer", "--help").stdout


@pytest.mark.parametrize(
    ("task", "dataset", "own", "network", "convention"),
    [
        ("restorer", "faraway/dark", ("exponent", 3.0), ("channels", 4), "8-bit RGB, faraway/dark exponent=3"),
        ("srgan", "faraway/stripes", ("width", 4), ("channels", 4), "8-bit Y, border 2"),
        ("srgan", "faraway/halved", None, ("scale", 2), "8-bit Y, border 2"),
        ("vae", "faraway/stripes", ("width", 4), ("channels", 4), "RGB"),
        (
            "unet",
            "faraway/discs",
            None,
            ("classes", ["disc", "ring"]),
            "pooled over the set, threshold 0.5, mean of the present of 2 classes",
        ),
        ("lbam", "faraway/holes", None, ("channels", 1), "8-bit RGB, inside the hole"),
        ("lbam", "faraway/stripes", ("width", 4), ("channels", 1), "8-bit RGB, inside the hole"),
    ],
)
def test_a_dataset_of_another_plugin_is_trained_on_resumed_and_measured_on(
    installed: Path,
    restore: Callable[..., Any],
    task: str,
    dataset: str,
    own: tuple[str, Any] | None,
    network: tuple[str, Any],
    convention: str,
) -> None:
    words = ["--dataset", dataset, *([f"--dataset.{own[0]}", str(own[1])] if own else [])]
    trained = restore("train", *TINY[task], *words)
    assert trained.exit_code == 0, trained.stderr
    config = yaml.safe_load((installed / "runs/run/config.yaml").read_text())
    assert config["dataset"] == {"name": dataset, **dict([own] if own else [])}
    assert config["model"][network[0]] == network[1]
    resumed = restore("train", task, "--resume", "runs/run", "--epochs", "3")
    assert resumed.exit_code == 0, resumed.stderr
    answer = restore("evaluate", "runs/run", *words, "--json")
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["images"] == (12 if (task, dataset) == ("lbam", "faraway/stripes") else 2)  # two of each kind of mask
    assert convention in {metric["convention"] for metric in found["metrics"]}
    refused = restore("evaluate", "runs/run")
    assert refused.exit_code == 2
    assert f"the one to measure on: {' '.join(words)}" in said(refused)


def test_a_run_names_the_plugin_of_its_dataset(
    installed: Path, restore: Callable[..., Any], site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert restore("train", *RESTORER, "--dataset", "faraway/dark").exit_code == 0
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder != str(site.folder)])
    registry.reset()
    refused = restore("train", "restorer", "--resume", "runs/run", "--epochs", "3")
    assert refused.exit_code in (1, 2)
    assert "pip install restore-faraway==0.3" in said(refused)
    write_image(installed / "small.png", torch.rand(3, 10, 12))
    used = restore("predict", "runs/run", "small.png", "--output", "out")
    assert used.exit_code == 0, used.stderr  # weights need no data


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dataset", "faraway/stripes"], "--dataset: dataset faraway/stripes is registered for images, not for rest"),
        (["--dataset", "faraway/drak"], "--dataset: plugin 'faraway' has no dataset 'drak'; did you mean 'faraway/dar"),
        (["--dataset", "faraway/dark", "--dataset.exponent", "1"], "--dataset.exponent: should be greater than 1"),
        (["--dataset", "faraway/too-large"], "sample 0 has a target of (3, 40, 40) float32; crop_size=16 was asked"),
        (["--dataset", "faraway/bytes"], "sample 0 has input with values from"),
        (
            ["--dataset", "faraway/empty"],
            "faraway/empty cannot be used for restoration: built with split=train, it h",
        ),
        (["--dataset", "faraway/broken"], "split=train, it fails with RuntimeError"),
        (["--dataset", "faraway/narrow"], "target of (3, 16, 16) float32, which is not 1 times the size of input"),
        (["--dataset", "faraway/changing"], "split=validation, sample 0 differs each time"),
    ],
)
def test_a_dataset_that_does_not_fit_is_refused_before_a_folder_is_made(
    installed: Path, restore: Callable[..., Any], words: list[str], message: str
) -> None:
    refused = restore("train", *RESTORER, *words)
    assert refused.exit_code in (1, 2)
    assert message in said(refused)
    assert "Traceback" not in refused.stderr
    assert not (installed / "runs").exists()


def test_methods_are_compared_on_a_dataset_of_another_plugin(restore: Callable[..., Any]) -> None:
    words = ("--dataset", "faraway/stripes", "--dataset.width", "2", "--scale", "2", "--json")
    answer = restore("evaluate", "nearest", "bicubic", *words)
    assert answer.exit_code == 0, answer.stderr
    assert json.loads(answer.stdout)["images"] == 2


def test_the_published_recipe_holds_for_a_dataset_of_another_plugin(restore: Callable[..., Any]) -> None:
    printed = restore("train", "srgan", "--dataset", "faraway/stripes", "--print-config")
    assert yaml.safe_load(printed.stdout)["model"]["architecture"] == "srgan/msrresnet"


@pytest.mark.parametrize(
    "name", ["common/images", "common/super-resolution", "restorer/noisy", "restorer/pairs", "unet/segments"]
)
def test_every_built_in_dataset_keeps_its_contract(name: str) -> None:
    try:
        check_component(registry.entry("datasets", name))
    except NotApplicable as reason:
        assert name == "restorer/pairs"
        assert "needs --data" in str(reason)  # noqa: PT017 - the others raise nothing


def test_an_unknown_dataset_is_refused_by_evaluate_too(restore: Callable[..., Any]) -> None:
    refused = restore("evaluate", "identity", "--dataset", "faraway/drak")
    assert refused.exit_code == 2
    assert "did you mean 'faraway/dark'?" in said(refused)
