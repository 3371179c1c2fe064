"""A run on the sample trains a smaller U-Net without normalization, unless another generator is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from restore.plugins.inpaint_gan.settings import InpaintGANSettings, ModelSettings

PUBLISHED = InpaintGANSettings(data=Path("photos"))


@pytest.mark.parametrize(
    "model", [{}, {"architecture": "unet-generator"}, {"channels": 8}, {"depth": 5}, {"norm": "none"}]
)
def test_a_settings_object_counts_as_given_like_a_tree(model: dict[str, Any]) -> None:
    found = InpaintGANSettings(model=ModelSettings(**model))
    assert found == InpaintGANSettings.model_validate({"model": model})
    assert (found.model.norm, found.ema) == ("none", 0.99)


@pytest.mark.parametrize(
    "model",
    [{"norm": "batch"}, {"start": "gray"}, {"architecture": "coarse-to-fine"}, {"architecture": "lbam/generator"}],
)
def test_another_generator_brings_the_published_recipe(model: dict[str, Any]) -> None:
    found = InpaintGANSettings.model_validate({"model": model})
    assert (found.ema, found.recipe) == (PUBLISHED.ema, None)
    assert found.adversarial == PUBLISHED.adversarial
