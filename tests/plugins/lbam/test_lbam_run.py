"""What the first command of lbam reaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore.core.training.trainer import Trainer
from restore.plugins.lbam.settings import LBAMSettings
from restore.plugins.lbam.task import LBAM


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_default_recipe_fills_thin_holes_half_a_decibel_better_than_a_spline(tmp_path: Path) -> None:
    settings = LBAMSettings(out=tmp_path, name="run", device="cpu", precision="fp32", epochs=10).resolved()
    result = Trainer(LBAM, settings, name="lbam/lbam").fit()
    found = {number.of: number.value for number in result.numbers if number.name == "masked-psnr"}
    assert found["smooth"] > max(found["mean"], found["nearest-known"])
    assert found["pretrain"] > found["smooth"] + 0.5
    assert found["adversarial"] > found["smooth"] + 0.5
