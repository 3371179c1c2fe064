"""FSRCNN, DnCNN and pix2pix as distributions of third parties: small, and each part works in tasks of other plugins."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.core.images.files import read_image, write_image
from restore.core.training.optimizers import parameter_groups
from restore.core.weights.header import read_header

EXAMPLES = Path(__file__).parents[2] / "examples"
PLUGINS = ("fsrcnn", "dncnn", "pix2pix")
COMMON = (
    *("--epochs", "2", "--samples-per-epoch", "4", "--batch-size", "2", "--device", "cpu", "--sample-images", "1"),
    *("--workers", "0", "--precision", "fp32", "--name", "run"),
)
PHOTOS = ("--data", "photos", "--val-data", "photos")
FSRCNN = ("--model.features", "4", "--model.shrunk", "3", "--model.mapping", "1", "--scale", "2", "--crop-size", "16")
SRGAN = ("--perceptual.weight", "0", "--discriminator.channels", "2", "--discriminator.hidden", "4")
DNCNN = ("--model.channels", "4", "--model.depth", "3", "--crop-size", "16")
PIX2PIX = ("--model.channels", "2", "--model.depth", "3", "--discriminator-channels", "2")


@pytest.fixture
def restore(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """The command line, in a working directory with two photographs, where the three plugins are installed."""
    for name in PLUGINS:
        site.install_source(EXAMPLES / f"restore-{name}")
    monkeypatch.syspath_prepend(str(site.folder))
    monkeypatch.chdir(tmp_path)
    registry.reset()
    torch.set_num_threads(1)
    for index in range(2):
        (tmp_path / "photos").mkdir(exist_ok=True)
        image = torch.rand(3, 64, 72, generator=torch.Generator().manual_seed(index))
        write_image(tmp_path / f"photos/{index}.png", image)
    yield lambda *arguments: CliRunner().invoke(app, list(arguments), prog_name="restore")
    registry.reset()
    for name in [name for name in sys.modules if name.partition(".")[0] in {f"restore_{each}" for each in PLUGINS}]:
        del sys.modules[name]


def done(result: Any) -> Any:
    assert result.exit_code == 0, result.stderr
    return result


def trained(restore: Callable[..., Any], task: str, *words: str) -> Path:
    """A run of one command, resumed for one epoch more."""
    done(restore("train", task, *words, *COMMON))
    done(restore("train", task, "--resume", "runs/run", "--epochs", "3"))
    return Path("runs/run")


def used(restore: Callable[..., Any], scale: int = 1) -> None:
    """Predict an image with the run."""
    done(restore("predict", "runs/run", "photos/0.png", "--output", "out", "--tile", "48"))
    assert read_image(Path("out/0.png")).size == (scale * 64, scale * 72)


def measured(restore: Callable[..., Any], *words: str) -> dict[tuple[str, str], float]:
    """The numbers of an evaluation by what was measured and the metric."""
    found = json.loads(done(restore("evaluate", "runs/run", *words, "--json")).stdout)
    return {(row["of"], row["name"]): row["value"] for row in found["metrics"]}


@pytest.mark.parametrize("name", PLUGINS)
def test_a_published_model_has_fewer_than_150_lines(name: str) -> None:
    files = (EXAMPLES / f"restore-{name}" / "src").rglob("*.py")
    assert sum(1 for file in files for line in file.read_text("utf-8").splitlines() if line.strip()) < 150


def test_their_own_tests_pass(site: Any, tmp_path: Path) -> None:
    for name in PLUGINS:
        site.install_source(EXAMPLES / f"restore-{name}")
        tests = EXAMPLES / f"restore-{name}" / "tests"
        shutil.copytree(tests, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    reported = site.run_tests(*(tmp_path / name for name in PLUGINS))
    assert [name for name in PLUGINS if f"test_{name}.py::" not in reported] == []


def test_fsrcnn_is_trained_resumed_used_and_measured(restore: Callable[..., Any]) -> None:
    run = trained(restore, "fsrcnn", *FSRCNN, *PHOTOS)
    used(restore, scale=2)
    assert read_header(run / "best.safetensors").plugins["fsrcnn"] == "restore-fsrcnn==0.1.0"
    assert {("runs/run", "psnr"), ("bicubic", "psnr")} <= measured(restore, "bicubic", "--data", "photos").keys()


def test_pix2pix_is_trained_on_pairs_resumed_used_and_measured(restore: Callable[..., Any], tmp_path: Path) -> None:
    for folder in ("inputs", "targets"):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
        for index in range(3):
            image = torch.rand(3, 64, 72, generator=torch.Generator().manual_seed(index))
            write_image(tmp_path / "pairs" / folder / f"{index}.png", image if folder == "targets" else 1 - image)
    run = trained(restore, "pix2pix", *PIX2PIX, "--data", "pairs", "--val-data", "pairs")
    used(restore)
    log = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    terms = {"discriminator/d_loss_real", "discriminator/d_loss_fake", "generator/adversarial", "generator/l1"}
    assert any(terms <= line.keys() for line in log)
    assert measured(restore, "--data", "pairs")["runs/run", "psnr"] > 5


def test_srgan_is_trained_with_fsrcnn_as_its_generator(restore: Callable[..., Any]) -> None:
    words = ("--arch", "fsrcnn/fsrcnn", "--pretrain.optimizer.lr-factors", '{"generator.deconvolution.*": 0.1}')
    run = trained(restore, "srgan", *words, *FSRCNN, *SRGAN, *PHOTOS)
    header = read_header(run / "best.safetensors")
    wanted = {"architecture": "fsrcnn/fsrcnn", "scale": 2, "features": 4, "shrunk": 3, "mapping": 1}
    assert (header.task, header.model) == ("srgan/srgan", wanted)
    assert header.plugins["fsrcnn"] == "restore-fsrcnn==0.1.0"
    used(restore, scale=2)


HELP = """
import sys

from restore.cli.app import app

try:
    app(sys.argv[1:], prog_name="restore")
finally:
    print("LOADED:", *sys.modules, file=sys.stderr)
"""


def test_the_settings_of_fsrcnn_stand_in_the_help_of_srgan_without_torch(
    restore: Callable[..., Any], site: Any
) -> None:
    command = [sys.executable, "-c", HELP, "train", "srgan", "--arch", "fsrcnn/fsrcnn", "--help"]
    shown = subprocess.run(command, env=site.environment(), capture_output=True, text=True, check=True)
    text = " ".join(shown.stdout.split())
    assert "--model.shrunk INT Channels of the mapping, s; FSRCNN-s: 5. [default: 12; >=1]" in text
    assert "--model.blocks INT" not in text
    loaded = set(shown.stderr.split("LOADED:")[1].split())
    assert "restore_fsrcnn.settings" in loaded
    assert not {"torch", "torchvision", "accelerate", "numpy"} & loaded


@pytest.mark.usefixtures("restore")
def test_the_deconvolution_has_a_tenth_of_the_learning_rate() -> None:
    settings = registry.entry("tasks", "fsrcnn").locate("settings")()
    network = registry.get("architectures", "fsrcnn/fsrcnn")()
    named = [(f"generator.{name}", parameter) for name, parameter in network.named_parameters()]
    full, tenth = parameter_groups(settings.optimizer, named)
    assert (full["lr"], tenth["lr"]) == (5e-3, pytest.approx(5e-4))
    assert [id(parameter) for parameter in tenth["params"]] == [id(each) for each in network.deconvolution.parameters()]


def test_dncnn_trains_in_the_task_of_another_plugin_on_its_own_data_loss_and_metric(
    restore: Callable[..., Any],
) -> None:
    parts = ("--arch", "dncnn/cdncnn", "--dataset", "dncnn/blind", "--loss", "dncnn/residual")
    run = trained(restore, "restorer", *parts, *PHOTOS, "--monitor", "dncnn/edge-psnr,threshold=0.2", *DNCNN)
    used(restore)
    config = yaml.safe_load((run / "config.yaml").read_text("utf-8"))
    assert config["run"]["plugins"]["dncnn"] == "restore-dncnn==0.1.0"
    assert config["dataset"] == {"name": "dncnn/blind", "most": 55.0, "measured": 25.0}
    log = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert any(line.get("restorer/residual", 0) > 0 for line in log)
    words = ("identity", "--data", "photos", "--dataset", "dncnn/blind", "--metric", "dncnn/edge-psnr")
    assert {("runs/run", "edge-psnr"), ("identity", "edge-psnr")} <= measured(restore, *words).keys()


def test_a_loss_and_a_metric_of_dncnn_serve_srgan_and_bicubic(restore: Callable[..., Any]) -> None:
    words = ("--scale", "2", "--model.channels", "4", "--model.blocks", "1", "--crop-size", "16", *PHOTOS)
    done(
        restore(
            "train", "srgan", "--loss", "common/l1", "--loss", "dncnn/residual,weight=0.01", *words, *SRGAN, *COMMON
        )
    )
    log = [json.loads(line) for line in Path("runs/run/metrics.jsonl").read_text("utf-8").splitlines()]
    assert any({"generator/l1", "generator/residual"} <= line.keys() for line in log)
    words = ("bicubic", "--data", "photos", "--metric", "dncnn/edge-psnr")
    assert {("runs/run", "edge-psnr"), ("bicubic", "edge-psnr")} <= measured(restore, *words).keys()


def test_the_u_net_of_pix2pix_denoises(restore: Callable[..., Any]) -> None:
    words = ("--arch", "pix2pix/u-net", "--model.channels", "2", "--model.depth", "3", "--crop-size", "16", *PHOTOS)
    done(restore("train", "restorer", *words, *COMMON))
    used(restore)


@pytest.mark.parametrize(
    ("words", "package"),
    [
        (("predict", "runs/run", "photos/0.png", "--output", "out"), "restore-fsrcnn==0.1.0"),
        (("train", "srgan", "--resume", "runs/run", "--epochs", "3"), "restore-fsrcnn==0.1.0"),
    ],
)
def test_without_the_plugin_the_error_names_the_package(
    restore: Callable[..., Any], site: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], package: str
) -> None:
    done(restore("train", "srgan", "--arch", "fsrcnn/fsrcnn", *FSRCNN, *SRGAN, *PHOTOS, *COMMON))
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder != str(site.folder)])
    registry.reset()
    refused = restore(*words)
    assert refused.exit_code in (1, 2)
    assert f"pip install {package}" in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr
