"""Metrics and protocols of one plugin in the tables and runs of another, and methods that take the scale of a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import metrics_plugin
import pytest
import torch
import yaml
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.core.images.files import write_image
from restore.core.weights.files import save_weights
from restore.plugins.srgan.settings import SRGANSettings
from restore.plugins.srgan.task import SRGAN

TINY = (
    *("--epochs", "2", "--samples-per-epoch", "4", "--batch-size", "2", "--device", "cpu", "--name", "run"),
    *("--sample-images", "1", "--workers", "0", "--precision", "fp32"),
)
SMALL_SRGAN = (
    *("--scale", "2", "--crop-size", "16", "--model.channels", "4", "--model.blocks", "1"),
    *("--perceptual.weight", "0"),
)


@pytest.fixture
def restore(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """The command line, in a working directory where the plugin of others is installed."""
    metrics_plugin.install(site)
    monkeypatch.syspath_prepend(str(site.folder))
    monkeypatch.chdir(tmp_path)
    registry.reset()
    yield lambda *arguments: CliRunner().invoke(app, list(arguments), prog_name="restore")
    registry.reset()
    for name in [name for name in sys.modules if name.partition(".")[0] == "dncnn"]:
        del sys.modules[name]


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., str]:
    """Write the weights of an SRGAN that was trained for no time at all."""

    def write(name: str = "run", scale: int = 2) -> str:
        settings = SRGANSettings(model={"architecture": "srgan/msrresnet", "scale": scale, "channels": 4, "blocks": 1})
        path = tmp_path / name / "best.safetensors"
        path.parent.mkdir()
        model = settings.model.model_dump(mode="json")
        save_weights(path, task="srgan/srgan", model=model, networks=SRGAN(settings).networks(), phase=f"x{scale}")
        return name

    return write


@pytest.fixture
def photos(tmp_path: Path) -> str:
    """Two images of noise."""
    (tmp_path / "photos").mkdir()
    for index in range(2):
        image = torch.rand(3, 40, 48, generator=torch.Generator().manual_seed(index))
        write_image(tmp_path / f"photos/{index}.png", image)
    return "photos"


def said(result: Any) -> str:
    return " ".join(result.stderr.split())


def measured(result: Any) -> dict[tuple[str, str, str], float]:
    assert result.exit_code == 0, result.stderr
    return {(row["of"], row["name"], row["convention"]): row["value"] for row in json.loads(result.stdout)["metrics"]}


def test_a_metric_of_another_plugin_stands_in_the_table(
    restore: Callable[..., Any], trained: Callable[..., str], photos: str
) -> None:
    words = ("--data", photos, "--metric", "dncnn/edge-psnr,threshold=0.2", "--metric", "ssim")
    shown = restore("evaluate", trained(), "bicubic", *words)
    assert shown.exit_code == 0, shown.stderr
    assert "edge-psnr (edges above 0.2)" in shown.stdout
    assert "ssim (8-bit RGB)" in shown.stdout
    found = measured(restore("evaluate", "run", "bicubic", *words, "--json"))
    assert ("run", "edge-psnr", "edges above 0.2") in found
    assert ("bicubic", "edge-psnr", "edges above 0.2") in found
    assert ("run", "psnr", "8-bit Y, border 2") in found


def test_every_row_of_an_image_says_the_convention(restore: Callable[..., Any], photos: str) -> None:
    result = restore("evaluate", "bicubic", "--scale", "2", "--data", photos, "--metric", "psnr", "--json")
    rows = json.loads(result.stdout)["per_image"]
    assert {row["convention"] for row in rows if row["name"] == "psnr"} == {"8-bit Y, border 2", "8-bit RGB"}


def test_a_metric_that_is_measured_anyway_is_not_measured_twice(restore: Callable[..., Any], photos: str) -> None:
    words = ("evaluate", "bicubic", "--scale", "2", "--data", photos, "--json")
    twice = restore(*words, "--metric", "psnr,color=y8,border=2")
    assert measured(twice) == measured(restore(*words))


def test_inpainting_metrics_are_given_the_mask(restore: Callable[..., Any], photos: str) -> None:
    found = measured(restore("evaluate", "mean", "--data", photos, "--metric", "mask-error", "--json"))
    assert found["mean", "mask-error", "sum inside the mask"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bicubic", "--metric", "mask-error"], "metric dncnn/mask-error is registered for inpainting, not for image"),
        (["mean", "--metric", "missed"], "dncnn/missed is registered for segmentation, not for image or inpainting"),
        (["bicubic", "--metric", "edge-pnsr"], "no metric is called 'edge-pnsr'; did you mean 'edge-psnr'"),
        (["bicubic", "--metric", "edge-psnr,treshold=1"], "has no setting 'treshold'; did you mean 'threshold'?"),
        (["bicubic", "--metric", "edge-psnr,threshold=x"], "dncnn/edge-psnr,threshold: should be a valid number"),
        (["bicubic", "--metric", "edge-psnr,3"], "'3' has no value; write NAME,setting=value"),
        (["bicubic", "--metric", "turned-around"], "cannot be used for image: it gives 0 to predictions that equal"),
        (["bicubic", "--protocol", "overlap"], "unet/overlap is registered for segmentation, not for image"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused_before_images_are_read(
    restore: Callable[..., Any], tmp_path: Path, words: list[str], message: str
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/broken.png").write_text("no image")
    refused = restore("evaluate", *words, "--data", "photos")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert message in said(refused)


def test_two_metrics_cannot_look_the_same(restore: Callable[..., Any]) -> None:
    refused = restore("evaluate", "bicubic", "--metric", "imposter")
    assert refused.exit_code == 2
    assert "dncnn/imposter is shown as psnr (8-bit Y, border 4), as another metric is" in said(refused)


def test_a_protocol_of_another_plugin_is_built_for_the_scale_of_the_run(
    restore: Callable[..., Any], trained: Callable[..., str], photos: str
) -> None:
    found = measured(restore("evaluate", trained(), "--data", photos, "--protocol", "dncnn/edges", "--json"))
    assert [convention for _, _, convention in found] == ["edges above 0.05", "edges above 0.2"]
    found = measured(restore("evaluate", "mean", "--data", photos, "--protocol", "common/rgb", "--json"))
    assert list(found) == [("mean", "psnr", "RGB"), ("mean", "ssim", "RGB")]


def test_a_method_takes_the_scale_of_the_run_in_its_table(
    restore: Callable[..., Any], trained: Callable[..., str], photos: str
) -> None:
    run = trained()
    alone = measured(restore("evaluate", "bicubic", "--scale", "2", "--data", photos, "--json"))
    for words in ([], ["--scale", "2"]):
        together = measured(restore("evaluate", run, "bicubic", "--data", photos, *words, "--json"))
        assert {key: value for key, value in together.items() if key[0] == "bicubic"} == alone
    on_the_sample = measured(restore("evaluate", run, "bicubic", "--json"))
    assert {convention for _, _, convention in on_the_sample} == {"8-bit Y, border 2"}


def test_a_scale_that_is_not_that_of_the_run_is_refused(
    restore: Callable[..., Any], trained: Callable[..., str], photos: str
) -> None:
    refused = restore("evaluate", trained(), "bicubic", "--data", photos, "--scale", "4")
    assert refused.exit_code == 2
    assert "--scale 4: run has scale 2, and everything in one table needs the same" in said(refused)
    refused = restore("evaluate", "run", trained("other", scale=4), "bicubic", "--data", photos)
    assert refused.exit_code == 2
    assert "bicubic cannot be compared with both run (scale 2) and other (scale 4)" in said(refused)


def test_a_run_is_validated_with_a_metric_of_another_plugin_and_chooses_by_it(
    restore: Callable[..., Any], tmp_path: Path
) -> None:
    words = ("--metric", "ssim", "--monitor", "edge-psnr,threshold=0.2")
    done = restore("train", "srgan", *TINY, *SMALL_SRGAN, *words)
    assert done.exit_code == 0, done.stderr
    summary = json.loads((tmp_path / "runs/run/summary.json").read_text("utf-8"))
    shown = {(row["of"], row["name"], row["convention"]) for row in summary["metrics"]}
    expected = {("edge-psnr", "edges above 0.2"), ("ssim", "8-bit RGB"), ("psnr", "8-bit Y, border 2")}
    assert {(of, *each) for of in ("bicubic", "pretrain", "adversarial") for each in expected} <= shown
    lines = [json.loads(line) for line in (tmp_path / "runs/run/metrics.jsonl").read_text("utf-8").splitlines()]
    for phase in ("pretrain", "adversarial"):
        of_phase = [line for line in lines if line["kind"] == "validation" and line["phase"] == phase]
        values = [{row["name"]: row["value"] for row in line["metrics"]}["edge-psnr"] for line in of_phase]
        best = [index for index, line in enumerate(of_phase) if line["best"]]
        assert values[best[-1]] == max(values)
    plugins = yaml.safe_load((tmp_path / "runs/run/config.yaml").read_text("utf-8"))["run"]["plugins"]
    assert plugins["dncnn"] == "restore-dncnn==0.4"
    resumed = restore("train", "srgan", "--resume", "runs/run", "--epochs", "3")
    assert resumed.exit_code == 0, resumed.stderr


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (["--monitor", "iuo"], ["no metric is called 'iuo'", "The run itself measures iou, dice"]),
        (["--monitor", "ssim"], ["common/ssim is registered for image, not for segmentation"]),
        (["--metric", "ssim"], ["--metric ssim: metric common/ssim is registered for image"]),
        (["--metric", "nothing"], ["--metric: no metric is called 'nothing'"]),
    ],
)
def test_a_wrong_metric_is_refused_before_a_folder_is_made(
    restore: Callable[..., Any], tmp_path: Path, words: list[str], messages: list[str]
) -> None:
    refused = restore("train", "unet", *TINY, "--size", "32", "32", *words)
    assert refused.exit_code == 2
    for message in messages:
        assert message in said(refused)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("model", "name", "convention"),
    [
        ("bicubic", "ms-ssim,color=y8,border=4", "8-bit Y, border 4, 5 scales"),
        ("bicubic", "gmsd", "luma 0-255 of 8-bit RGB"),
        ("bicubic", "haarpsi,border=4", "8-bit YIQ, border 4"),
        ("bicubic", "l2", "8-bit RGB, mean squared error, white is 1"),
        ("bicubic", "lr-psnr", "8-bit RGB, downscaled by MATLAB's bicubic to the input"),
        ("mean", "tv-error", "8-bit RGB, difference of anisotropic total variations per value, white is 1"),
        ("otsu", "boundary-iou,width=0.01", "pooled over the set, width 1 % of the diagonal, threshold 0.5"),
        (
            "otsu",
            "hausdorff95",
            "pixels, mean over images, without images that have none, the diagonal if one has none",
        ),
    ],
)
def test_every_metric_is_measured_by_its_name(
    restore: Callable[..., Any], model: str, name: str, convention: str
) -> None:
    found = measured(restore("evaluate", model, "--metric", name, "--json"))
    (value,) = [value for (_, key, how), value in found.items() if how.startswith(convention) and key in name]
    assert value > 0


def test_consistency_with_the_input_needs_an_input_that_is_smaller(restore: Callable[..., Any]) -> None:
    refused = restore("evaluate", "mean", "--metric", "lr-psnr")
    assert refused.exit_code == 2
    assert "common/lr-psnr is registered for super-resolution, not for image or inpainting" in said(refused)
