"""The plugin keeps the contract of tasks, and removes noise."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from restore_denoise.settings import DenoiseEvaluateOptions
from restore_denoise.task import Denoising

from restore import registry
from restore.core import Trainer
from restore.core.testing import check_imports, check_task


def test_the_task_keeps_its_contract(tmp_path: Path) -> None:
    check_task(registry.entry("tasks", "denoise"), tmp_path)


def test_the_plugin_is_cheap_to_load() -> None:
    check_imports("restore_denoise", "restore_denoise.settings")


def test_it_is_measured_with_the_noise_that_it_is_made_for_unless_another_is_asked_for() -> None:
    settings = Denoising.tiny_settings(model={"noise": 50})
    for options, level in (
        (None, "50"),
        (DenoiseEvaluateOptions(), "50"),
        (DenoiseEvaluateOptions(noise=12.5), "12.5"),
    ):
        task = Denoising(settings).with_options(evaluate=options)
        assert task.protocols()["rgb"].metrics["psnr"].convention == f"8-bit RGB, noise {level}"
        assert task.evaluation_data(None).noise == float(level) / 255


def test_a_short_training_removes_noise(tmp_path: Path) -> None:
    quick = {"lr": 1e-2, "schedule": {"name": "cosine", "warmup": 0.05}}
    settings = Denoising.tiny_settings(
        out=tmp_path,
        model={"channels": 8, "depth": 3, "noise": 50},
        optimizer=quick,
        batch_size=8,
        samples_per_epoch=400,
    )
    torch.manual_seed(0)
    result = Trainer(Denoising, settings, name="denoise/denoise").fit()
    (psnr,) = [number.value for number in result.numbers]
    of_the_noise_itself = 20 * math.log10(255 / 50)  # 14.2 dB
    assert psnr > of_the_noise_itself + 5
