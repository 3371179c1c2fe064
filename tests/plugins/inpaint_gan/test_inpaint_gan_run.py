"""What the first command of inpaint-gan reaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore.core.training.trainer import Trainer
from restore.plugins.inpaint_gan.settings import InpaintGANSettings
from restore.plugins.inpaint_gan.task import InpaintGAN


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_default_recipe_fills_thin_holes_half_a_decibel_better_than_a_spline(tmp_path: Path) -> None:
    settings = InpaintGANSettings(out=tmp_path, name="run", device="cpu", precision="fp32").resolved()
    result = Trainer(InpaintGAN, settings, name="inpaint_gan/inpaint-gan").fit()
    found = {number.of: number.value for number in result.numbers if number.name == "masked-psnr"}
    assert found["smooth"] > max(found["mean"], found["nearest-known"])
    assert found["pretrain"] > found["smooth"] + 0.5
    assert found["adversarial"] > found["smooth"] + 0.5
