"""What the first command of inpaint-gan reaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore.core.training.trainer import Trainer
from restore.plugins.inpaint_gan.settings import InpaintGANSettings
from restore.plugins.inpaint_gan.task import InpaintGAN


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_default_recipe_fills_holes_better_than_what_learns_nothing(tmp_path: Path) -> None:
    settings = InpaintGANSettings(out=tmp_path, name="run", device="cpu").resolved()
    result = Trainer(InpaintGAN, settings, name="inpaint_gan/inpaint-gan").fit()
    found = {number.of: number.value for number in result.numbers if number.name == "masked-psnr"}
    assert found["pretrain"] > found["mean"] + 1
    assert found["pretrain"] > found["nearest-known"]
    assert found["adversarial"] > found["pretrain"] - 1
