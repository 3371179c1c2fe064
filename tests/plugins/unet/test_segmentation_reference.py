"""The reference's recipe and data, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import yaml

from restore.plugins.unet.settings import NestedUNetSettings

RECIPE = Path(__file__).parents[3] / "plugins" / "unet" / "reference.yaml"


def test_the_reference_recipe_is_understood() -> None:
    settings = NestedUNetSettings.model_validate(yaml.safe_load(RECIPE.read_text(encoding="utf-8")))
    optimizer = settings.optimizer
    assert (optimizer.name, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == ("sgd", 1e-3, 0.9, 1e-4)
    assert optimizer.lr * optimizer.schedule.final == 1e-5
    assert (settings.epochs, settings.batch_size, settings.val_fraction) == (100, 16, 0.2)
    assert settings.model.size == (96, 96)
