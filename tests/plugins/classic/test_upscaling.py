"""Upscaling methods as tasks: used, measured, and not trained."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from restore.core.errors import DataError, NothingToTrain, UsageError
from restore.core.evaluation import evaluate
from restore.core.inference.engine import predict_image
from restore.core.method import Method
from restore.core.networks import Networks
from restore.core.settings import RunSettings
from restore.core.training.trainer import Trainer
from restore.plugins.classic.settings import (
    UpscalingEvaluateOptions,
    UpscalingModelSettings,
    UpscalingPredictOptions,
    UpscalingSettings,
)
from restore.plugins.classic.upscaling import Upscaling
from restore.plugins.common.images.resize import imresize
from restore.registry import entry, get

NAMES = ["nearest", "bilinear", "bicubic", "bicubic-antialias", "lanczos", "fourier"]


def task(
    name: str,
    scale: float = 4.0,
    *,
    predict: UpscalingPredictOptions | None = None,
    evaluate: UpscalingEvaluateOptions | None = None,
) -> Upscaling:
    built: Upscaling = get("tasks", f"classic/{name}")(UpscalingSettings(model=UpscalingModelSettings(scale=scale)))
    return built.with_options(predict=predict, evaluate=evaluate)


def paired_folder(folder: Path, scale: int) -> Path:
    for name, seed in (("a.png", 0), ("b.png", 1)):
        for part, size in (("LR", 12), ("HR", 12 * scale)):
            (folder / part).mkdir(exist_ok=True)
            levels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / part / name)
    return folder


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [1, 2, 3, 2.5, 3.14159])
def test_any_image_is_upscaled_by_any_factor(name: str, scale: float) -> None:
    method = task(name, predict=UpscalingPredictOptions(scale=scale))
    image = torch.rand(3, 11, 8, generator=torch.Generator().manual_seed(0))
    (output,) = predict_image(method, {}, {"input": image}).values()
    height, width = output.shape[-2:]
    assert (height, width) == (-(-11 * round(scale * 1e5) // 100000), -(-8 * round(scale * 1e5) // 100000))
    assert output.min() >= 0
    assert output.max() <= 1


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_a_fraction_is_right_at_every_edge(name: str) -> None:
    # The engine continues an image of 11 rows so that 2.5 times as many is a whole number.
    method = task(name, 2.5)
    image = torch.rand(3, 11, 9, generator=torch.Generator().manual_seed(0))
    (output,) = predict_image(method, {}, {"input": image}).values()
    assert torch.allclose(output, method.upscale(image[None], 2.5)[0].clamp(0, 1), atol=1e-6)


def test_methods_differ() -> None:
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    outputs = [task(name, 2).predict({"input": image}, Networks({}))["output"] for name in NAMES]
    for number, one in enumerate(outputs):
        assert all((one - other).abs().max() > 1e-3 for other in outputs[number + 1 :])


def test_the_scale_is_that_of_the_option_or_else_of_the_settings() -> None:
    assert task("bicubic", 3).scale == 3
    assert task("bicubic", 3, predict=UpscalingPredictOptions(scale=2)).scale == 2
    assert task("bicubic", 3, evaluate=UpscalingEvaluateOptions(scale=2)).scale == 2


def test_measuring_takes_the_scale_from_the_pairs(tmp_path: Path) -> None:
    method = task("bicubic", evaluate=UpscalingEvaluateOptions())
    images = method.evaluation_data(paired_folder(tmp_path, 3))
    protocol = method.protocols()["y8-border"]
    assert method.scale == 3
    assert protocol["psnr"].convention == "8-bit Y, border 3"
    measured = evaluate(method, {}, images, protocol, of="bicubic")
    assert [row["image"] for row in measured.per_image] == ["a.png", "b.png"] * 2


def test_another_scale_than_that_of_the_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="have scale 3, not 2"):
        task("nearest", evaluate=UpscalingEvaluateOptions(scale=2)).evaluation_data(paired_folder(tmp_path, 3))


def test_plain_images_are_made_small_first_and_need_a_scale(tmp_path: Path) -> None:
    folder = paired_folder(tmp_path, 4) / "HR"
    with pytest.raises(UsageError, match="--scale"):
        task("bicubic", evaluate=UpscalingEvaluateOptions()).evaluation_data(folder)
    sample = task("bicubic", evaluate=UpscalingEvaluateOptions(scale=4)).evaluation_data(folder)[0]
    target = (sample["target"] * 255).round().byte()
    assert torch.equal((sample["input"] * 255).round().byte(), imresize(target, 1 / 4))


def test_without_a_folder_the_sample_photographs_are_measured() -> None:
    method = task("bilinear", evaluate=UpscalingEvaluateOptions())
    images = method.evaluation_data(None)
    assert images.name(0) == "chelsea"
    assert method.scale == 4


def test_there_is_nothing_to_train(tmp_path: Path) -> None:
    with pytest.raises(NothingToTrain, match="nothing to train") as caught:
        Trainer(type(task("bicubic")), RunSettings(out=tmp_path), name="classic/bicubic")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_is_registered_as_a_task_without_weights(name: str) -> None:
    found = entry("tasks", name)
    assert found.full_name == f"classic/{name}"
    assert found.spec.trains is False
    assert issubclass(found.load(), Method)
    assert found.summary


@pytest.mark.parametrize("scale", [0.5, 0, -2, 65, float("nan"), float("inf")])
def test_a_scale_out_of_range_is_refused(scale: float) -> None:
    for settings in (UpscalingPredictOptions, UpscalingEvaluateOptions, UpscalingModelSettings):
        with pytest.raises(ValidationError):
            settings(scale=scale)


@pytest.mark.skipif("RESTORE_SR_DATA" not in os.environ, reason="RESTORE_SR_DATA names no folder of Set5 and Set14")
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", ["Set5", "Set14"])
def test_bicubic_has_the_published_results(name: str, scale: int) -> None:
    root = Path(os.environ["RESTORE_SR_DATA"])
    with (root / "bicubic_published.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == name and int(row["scale"]) == scale]
    published = {(row["image"], metric): float(row[metric]) for row in rows for metric in ("psnr", "ssim")}
    method = task("bicubic", evaluate=UpscalingEvaluateOptions())
    images = method.evaluation_data(root / name / f"x{scale}")
    measured = evaluate(method, {}, images, method.protocols()["y8-border"], of="bicubic")
    found = {(str(row["image"]), str(row["name"])): float(row["value"]) for row in measured.per_image}
    assert found.keys() == published.keys()
    for key, number in published.items():
        assert found[key] == pytest.approx(number, abs=1e-4 if key[1] == "psnr" else 1e-5), key


@pytest.mark.parametrize("name", [name for name in NAMES if name != "fourier"])
@pytest.mark.parametrize("scale", [1, 2, 1.5, 5 / 3, 2.37])
def test_tiles_equal_the_whole_image_of_any_depth(name: str, scale: float) -> None:
    method = task(name, predict=UpscalingPredictOptions(scale=scale))
    random = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, 61, 47), generator=random) / 255
    image[:, :, 20:] = torch.rand(3, 61, 27, generator=random)  # no 8-bit values
    whole, tiled = (predict_image(method, {}, {"input": image}, tile=tile)["output"] for tile in (None, 16))
    # MATLAB rounds to 8 bits twice; where the exact value lies between two levels, the last bit of a position decides.
    assert ((whole - tiled).abs() > 1e-5).float().mean() < 0.01
    assert (whole - tiled).abs().max() < 1.001 / 255


def test_fourier_says_before_it_starts_how_much_memory_it_would_take(monkeypatch: pytest.MonkeyPatch) -> None:
    method = task("fourier", predict=UpscalingPredictOptions(scale=2))
    monkeypatch.setattr("restore.core.inference.engine.host_memory", lambda: 28 * 3 * 80 * 60 - 1.0)
    with pytest.raises(DataError, match=r"must see the whole image, which takes about 0 GB for 80 x 60 pixels"):
        predict_image(method, {}, {"input": torch.rand(3, 30, 40)})
    assert predict_image(method, {}, {"input": torch.rand(3, 30, 39)})["output"].shape == (3, 60, 78)


def test_fourier_needs_the_whole_image_and_says_so() -> None:
    with pytest.raises(UsageError, match="must see the whole image"):
        predict_image(task("fourier"), {}, {"input": torch.rand(3, 32, 32)}, tile=16)
