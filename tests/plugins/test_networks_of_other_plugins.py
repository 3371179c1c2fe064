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
from restore.core.testing import check_component
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
    _resume_and_use(restore, task)


LBAM = ("--crop-size", "32", "--perceptual.weight", "0", "--style.weight", "0")
GAN = ("--crop-size", "32")


@pytest.mark.parametrize(
    ("task", "words", "model"),
    [
        (
            "lbam",
            ("--arch", "guest/two-stages", "--model.kernel", "5", "--discriminator.architecture", "guest/maps", *LBAM),
            {"architecture": "guest/two-stages", "window": 32, "kernel": 5},
        ),
        (
            "inpaint-gan",
            ("--arch", "two-stages", "--discriminator.architecture", "guest/maps", *GAN),
            {"architecture": "guest/two-stages", "window": 32, "kernel": 3},
        ),
        (
            "lbam",
            (
                *("--arch", "inpaint_gan/unet-generator", "--model.channels", "2", "--model.depth", "2", *LBAM),
                *("--discriminator.architecture", "multi-scale-discriminator", "--discriminator.layers", "1"),
            ),
            {
                "architecture": "inpaint_gan/unet-generator",
                "window": 32,
                "channels": 2,
                "depth": 2,
                "start": "smooth",
                "detail": False,
                "blocks": 0,
                "norm": "batch",
                "dropout": False,
            },
        ),
        (
            "inpaint-gan",
            (
                *("--arch", "lbam/generator", "--model.channels", "1", "--model.levels", "2", *GAN),
                *("--discriminator.architecture", "lbam/discriminator", "--discriminator.channels", "1"),
            ),
            {
                "architecture": "lbam/generator",
                "window": 32,
                "channels": 1,
                "prefill": "none",
                "levels": 2,
                "blocks": 0,
                "detail": False,
            },
        ),
        (
            "inpaint-gan",
            (
                *("--arch", "coarse-to-fine", "--model.channels", "2", *GAN),
                *("--discriminator.architecture", "srgan/discriminator", "--discriminator.channels", "2"),
            ),
            {
                "architecture": "inpaint_gan/coarse-to-fine",
                "window": 32,
                "channels": 2,
                "gated": False,
                "attention": {"rate": 2, "softmax_scale": 10.0, "fuse": True, "published": False},
            },
        ),
    ],
)
def test_inpainting_families_train_the_networks_of_each_other_and_of_plugins(
    restore: Callable[..., Any], task: str, words: tuple[str, ...], model: dict[str, Any]
) -> None:
    trained = restore("train", task, *words, *TINY)
    assert trained.exit_code == 0, trained.stderr
    header = read_header(Path("runs/run/best.safetensors"))
    assert header.model == model
    assert model["architecture"].partition("/")[0] in {*header.plugins, task.replace("-", "_")}
    mask = torch.zeros(1, 21, 26)
    mask[:, 5:10, 5:10] = 1
    write_image(Path("mask.png"), mask)
    _resume_and_use(restore, task, "--mask", "mask.png")


def _resume_and_use(restore: Callable[..., Any], task: str, *words: str) -> None:
    """Train an epoch more, and predict an image."""
    resumed = restore("train", task, "--resume", "runs/run", "--epochs", "3")
    assert resumed.exit_code == 0, resumed.stderr
    torch.manual_seed(0)
    write_image(Path("small.png"), torch.rand(3, 21, 26))
    used = restore("predict", "runs/run", "small.png", "--output", "out", *words)
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
        (
            "lbam",
            ["--arch", "guest/halves-only"],
            "guest/halves-only cannot be used for inpainting: built with its settings and called with an image of "
            "61 x 45 pixels, it returns a tensor of shape (1, 3, 44, 60), not (1, 3, 45, 61)",
        ),
        ("inpaint-gan", ["--discriminator.architecture", "guest/no-masks"], "positional arguments but 3 were given"),
        ("lbam", ["--discriminator.architecture", "srgan/discriminator"], "discriminator, not for inpainting-discr"),
        ("inpaint-gan", ["--arch", "srgan/compact"], "is registered for super-resolution, not for inpainting"),
        (
            "inpaint-gan",
            [
                *("--discriminator.architecture", "srgan/discriminator", "--discriminator.head", "dense"),
                *("--crop-size", "64", "--progressive", "32"),
            ],
            "this discriminator needs 64 x 64 pixels, not 32 x 32",
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


def test_every_registered_architecture_keeps_the_contract_of_its_role() -> None:
    entries = registry.entries("architectures")
    assert {entry.plugin for entry in entries} >= {"inpaint_gan", "lbam", "srgan", "unet", "vae", "warpgan"}
    for entry in entries:
        if entry.plugin != "spandrel":  # whose default networks are large; its own tests have small ones
            check_component(entry)
