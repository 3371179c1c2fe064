from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from restore import registry
from restore.core.training.trainer import RunResult, Trainer
from restore.core.weights.files import open_weights
from restore.plugins.srgan.settings import SRGANSettings
from restore.plugins.srgan.task import SRGAN


def run(tmp_path: Path, **given: Any) -> RunResult:
    settings = SRGANSettings(out=tmp_path, name="run", device="cpu", **given).resolved()
    return Trainer(SRGAN, settings, name="srgan/srgan").fit()


def measured(result: RunResult, name: str) -> dict[str, float]:
    return {number.of: number.value for number in result.numbers if number.name == name}


def test_a_run_goes_through_both_phases_and_its_weights_rebuild_the_generator(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    result = run(
        tmp_path,
        epochs=2,
        samples_per_epoch=4,
        batch_size=2,
        crop_size=32,
        precision="fp32",
        sample_images=1,
        model={"channels": 4, "blocks": 1, "scale": 2},
        discriminator={"channels": 4, "hidden": 8},
        perceptual={"weights": "random", "layers": {"relu1_2": 1.0}},
    )
    for name in ("psnr", "ssim", "lsd"):
        assert set(measured(result, name)) == {"bicubic", "pretrain", "adversarial"}
    task, networks = open_weights(result.weights, registry.get)
    assert isinstance(task, SRGAN)
    assert list(networks) == ["generator"]
    assert task.settings.model.scale == 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_default_recipe_beats_bicubic_and_does_not_collapse(tmp_path: Path) -> None:
    result = run(tmp_path, epochs=20)
    found = measured(result, "psnr")
    assert found["pretrain"] > found["bicubic"] + 0.9
    assert found["adversarial"] > found["pretrain"] - 0.5
    assert found["adversarial"] > found["bicubic"]
    distance = measured(result, "lsd")
    assert distance["bicubic"] > distance["pretrain"] + 0.5
    assert distance["pretrain"] > distance["adversarial"] + 0.1
