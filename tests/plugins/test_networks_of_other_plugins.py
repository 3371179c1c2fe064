"""Every family trains and uses networks of another plugin, and refuses those that break the contract of their role."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import family_networks_plugin
import pytest
import torch
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.core.images.files import write_image
from restore.core.weights.header import read_header

TINY = (
    *("--epochs", "2", "--samples-per-epoch", "4", "--batch-size", "2", "--device", "cpu", "--name", "run"),
    *("--sample-images", "1", "--workers", "0", "--precision", "fp32"),
)


@pytest.fixture
def restore(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """The command line, in a working directory where the plugin of others is installed."""
    family_networks_plugin.install(site)
    monkeypatch.syspath_prepend(str(site.folder))
    monkeypatch.chdir(tmp_path)
    registry.reset()
    yield lambda *arguments: CliRunner().invoke(app, list(arguments), prog_name="restore")
    registry.reset()
    for name in [name for name in sys.modules if name.partition(".")[0] == "guest"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("task", "words", "model"),
    [
        (
            "autoencoder",
            ("--arch", "guest/blocks", "--model.side", "2", "--crop-size", "16", "--scale", "2"),
            {"architecture": "guest/blocks", "latent": 16, "scale": 2, "side": 2},
        ),
        (
            "vae",
            ("--arch", "blocks", "--crop-size", "16", "--model.latent", "3"),
            {"architecture": "guest/blocks", "latent": 3, "scale": 1, "side": 4},
        ),
        (
            "warpgan",
            (
                *("--arch", "guest/tint", "--model.points", "6", "--model.size", "32"),
                *("--discriminator.architecture", "faces", "--model.discriminator.width", "3"),
            ),
            {
                "architecture": "guest/tint",
                "size": 32,
                "style": 8,
                "identities": 12,
                "points": 6,
                "discriminator": {"architecture": "guest/faces", "width": 3},
            },
        ),
    ],
)
def test_networks_of_another_plugin_are_trained_resumed_and_used(
    restore: Callable[..., Any], task: str, words: tuple[str, ...], model: dict[str, Any]
) -> None:
    trained = restore("train", task, *words, *TINY)
    assert trained.exit_code == 0, trained.stderr
    header = read_header(Path("runs/run/best.safetensors"))
    assert header.model == model
    assert header.plugins["guest"] == "restore-guest==2.1"
    resumed = restore("train", task, "--resume", "runs/run", "--epochs", "3")
    assert resumed.exit_code == 0, resumed.stderr
    torch.manual_seed(0)
    write_image(Path("small.png"), torch.rand(3, 21, 26))
    used = restore("predict", "runs/run", "small.png", "--output", "out")
    assert used.exit_code == 0, used.stderr
    assert list(Path("out").glob("small*.png"))


def test_a_network_of_another_plugin_decodes_samples(restore: Callable[..., Any]) -> None:
    trained = restore("train", "vae", "--arch", "guest/blocks", "--crop-size", "16", *TINY)
    assert trained.exit_code == 0, trained.stderr
    sampled = restore("sample", "runs/run", "-n", "2", "--size", "10", "--output", "sheet.png")
    assert sampled.exit_code == 0, sampled.stderr


@pytest.mark.parametrize(
    ("task", "words", "message"),
    [
        ("vae", ["--arch", "unet/unet"], "architecture unet/unet is registered for segmentation, not for autoencoder"),
        (
            "autoencoder",
            ["--arch", "guest/other-stride"],
            "guest/other-stride cannot be used for autoencoder: built with latent=16, scale=1, variational=False and "
            "called with an image of 61 x 45 pixels, it has an encoder that returns a tensor of shape (1, 16, 12, 16), "
            "not (1, 16, 6, 8)",
        ),
        (
            "warpgan",
            ["--arch", "guest/no-flow"],
            "guest/no-flow cannot be used for warping: built with size=64, style=8 and called with an image of 64 x 64 "
            "pixels, it returns NoneType, not a tensor, as flow",
        ),
        (
            "warpgan",
            ["--discriminator.architecture", "few-people"],
            "it returns a tensor of shape (1, 6), not (1, 36), as identities",
        ),
        ("warpgan", ["--arch", "unet/unet"], "architecture unet/unet is registered for segmentation, not for warping"),
        ("vae", ["--arch", "guest/no-stride"], "fails with AttributeError: 'NoStride' object has no attribute"),
        ("vae", ["--arch", "guest/more-parameters"], "it has parameters outside of encoder and decoder: bias"),
        ("vae", ["--arch", "guest/blocks", "--model.depth", "3"], "No such option: --model.depth"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence_before_a_folder_is_made(
    restore: Callable[..., Any], task: str, words: list[str], message: str
) -> None:
    refused = restore("train", task, *words, *TINY)
    assert refused.exit_code in (1, 2)
    assert message in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr
    assert not Path("runs").exists()
