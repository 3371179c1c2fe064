"""Phases, defaults and the published recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from pydantic import ValidationError

from restore.core.errors import UsageError
from restore.plugins.lbam.settings import LBAMSettings
from restore.plugins.lbam.task import LBAM

RECIPE = Path(__file__).parents[3] / "plugins" / "lbam" / "published.yaml"


def settings(**changes: Any) -> LBAMSettings:
    return LBAMSettings.model_validate(changes)


@pytest.mark.parametrize(
    ("changes", "epochs"),
    [
        ({"epochs": 10}, (8, 2)),
        ({"epochs": 2}, (1, 1)),
        ({"epochs": 1}, (1, 0)),
        ({"epochs": 10, "pretrain": {"epochs": 0}}, (0, 10)),
        ({"epochs": 10, "pretrain": {"epochs": 10}}, (10, 0)),
        ({"epochs": 10, "adversarial": {"epochs": 4}}, (6, 4)),
        ({"epochs": 10, "adversarial": {"epochs": 10}}, (0, 10)),
        ({"pretrain": {"epochs": 3}, "adversarial": {"epochs": 2}}, (3, 2)),
    ],
)
def test_epochs_are_split_between_the_phases(changes: dict[str, Any], epochs: tuple[int, int]) -> None:
    chosen = settings(perceptual={"weights": "random"}, **changes)
    assert chosen.split() == epochs
    resolved = chosen.resolved()
    assert resolved.split() == epochs
    assert resolved.epochs == sum(epochs)
    names = [phase.name for phase in LBAM(resolved).phases()]
    assert names == (["pretrain", "adversarial"] if epochs[0] else ["adversarial"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pretrain": {"epochs": 0}, "adversarial": {"epochs": 0}}, "are both 0"),
        ({"epochs": 9, "pretrain": {"epochs": 5}, "adversarial": {"epochs": 5}}, "leave one of the three out"),
        ({"epochs": 2, "pretrain": {"epochs": 3}}, "more than epochs"),
        ({"epochs": 2, "adversarial": {"epochs": 3}}, "more than epochs"),
        ({"discriminator": {"published": True}}, "needs crop_size=256, not 128"),
        ({"style": {"layers": {"relu9_9": 1.0}}}, "style.layers: vgg16 has no layer 'relu9_9'"),
        ({"style": {"layers": {}}}, "style.layers is empty; name at least one layer"),
        ({"perceptual": {"window": 8, "layers": {"relu5_1": 1.0}}}, "perceptual.window=8: layer relu5_1 of vgg16"),
        ({"crop_size": 16, "style": {"layers": {"pool5": 1.0}}}, "crop_size=16: layer pool5 of vgg16"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(**changes)


def test_features_are_built_only_where_a_loss_looks_at_them() -> None:
    def features(**changes: Any) -> bool:
        return (
            "features"
            in LBAM(LBAMSettings.model_validate(LBAM.tiny_settings(**changes).model_dump())).frozen_networks()
        )

    assert features()
    assert not features(adversarial={"epochs": 0})
    assert not features(perceptual={"weight": 0}, style={"weight": 0})
    assert features(perceptual={"weight": 0, "weights": "random"})


@pytest.mark.parametrize(
    "changes",
    [
        {"style": {"weight": 0, "layers": {"relu9_9": 1.0}}},
        {"perceptual": {"weight": 0, "layers": {"pool5": 1.0}, "weights": "random"}, "crop_size": 16},
    ],
)
def test_layers_of_a_loss_without_a_weight_do_not_matter(changes: dict[str, Any]) -> None:
    made = LBAM(LBAMSettings.model_validate(LBAM.tiny_settings(**changes).model_dump()))
    assert made.frozen_networks()["features"](torch.rand(1, 3, 16, 16)).keys() == {"relu1_1"}


@pytest.mark.parametrize("flag", ["data", "val_data"])
def test_a_folder_without_images_is_told_before_the_features_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, flag: str
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(UsageError, match="no images"):
        settings(**{flag: tmp_path}).resolved()
    assert not caplog.text


def test_the_published_recipe_is_one_phase_at_the_published_size() -> None:
    recipe = settings(**yaml.safe_load(RECIPE.read_text("utf-8")))
    assert recipe.split() == (0, 500)
    assert (recipe.model.channels, recipe.discriminator.channels, recipe.crop_size) == (64, 64, 256)
    assert (recipe.adversarial.generator.lr, recipe.adversarial.discriminator.lr) == (1e-4, 1e-5)
    assert (recipe.adversarial.generator.betas, recipe.adversarial.discriminator.betas) == ((0.5, 0.9), (0.0, 0.9))
    assert recipe.perceptual.window is None


def test_the_augment_group_reaches_the_training_crops() -> None:
    crops = []
    for augment in ({}, {}, {"zoom": (3, 3)}):
        task = LBAM(LBAM.tiny_settings(augment=augment))
        torch.manual_seed(0)
        crops.append(task.dataset("train", task.phases()[0])[0]["target"])
    assert torch.equal(crops[0], crops[1])
    assert not torch.equal(crops[0], crops[2])
