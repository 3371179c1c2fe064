"""The network learns to remove noise."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from restore_denoise.dataset import NoisyImages
from restore_denoise.settings import DenoiseEvaluateOptions
from restore_denoise.task import DenoiseTask

from restore.core import Trainer
from restore.plugins.common.images.samples import photographs


def test_samples_have_the_noise_that_was_asked_for() -> None:
    torch.manual_seed(0)
    sample = NoisyImages(photographs("validation"), noise=51)[0]
    assert math.isclose(float((sample["input"] - sample["target"]).std()), 0.2, rel_tol=0.02)


def test_it_is_measured_with_its_own_noise_unless_another_is_asked_for() -> None:
    task = DenoiseTask(DenoiseTask.tiny_settings(model={"noise": 50}))
    for options, noise in ((DenoiseEvaluateOptions(), "50"), (DenoiseEvaluateOptions(noise=12.5), "12.5")):
        asked = task.with_options(evaluate=options)
        assert asked.protocols()["rgb"]["psnr"].convention == f"8-bit RGB, noise {noise}"
        assert asked.evaluation_data(None).noise == float(noise) / 255


def test_a_short_training_removes_noise(tmp_path: Path) -> None:
    settings = DenoiseTask.tiny_settings(
        out=tmp_path,
        model={"channels": 8, "depth": 3, "noise": 50},
        optimizer={"lr": 1e-2},
        batch_size=8,
        samples_per_epoch=400,
    )
    (psnr,) = Trainer(DenoiseTask, settings, name="denoise/denoise").fit().numbers
    of_the_noise_itself = 20 * math.log10(255 / 50)  # 14.2 dB
    assert psnr.value > of_the_noise_itself + 5
