from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from restore import registry
from restore.core.settings import leaves
from restore.core.training.trainer import Trainer
from restore.core.weights.files import open_weights
from restore.plugins.srgan.generators import Compact
from restore.plugins.srgan.sample_recipe import SAMPLE_RECIPE
from restore.plugins.srgan.settings import ModelSettings, SRGANSettings
from restore.plugins.srgan.task import SRGAN

PUBLISHED = SRGANSettings(data=Path("photos"))


def size(settings: SRGANSettings) -> tuple[str, int, int]:
    own = settings.model.own_values()
    return settings.model.architecture, own["channels"], own["blocks"]


def test_only_a_run_on_the_sample_is_small() -> None:
    assert size(SRGANSettings()) == tuple(SAMPLE_RECIPE["model"].values())
    assert size(PUBLISHED) == ("srgan/msrresnet", 64, 16)
    assert SRGANSettings().perceptual.weight < PUBLISHED.perceptual.weight


@pytest.mark.parametrize(
    "model", [{"channels": 64, "blocks": 16}, {"channels": 64}, {"blocks": 16}, {"architecture": "msrresnet"}]
)
def test_the_published_generator_on_the_sample_is_trained_as_on_any_data(model: dict[str, Any]) -> None:
    chosen = SRGANSettings.model_validate({"model": model})
    assert size(chosen) == ("srgan/msrresnet", 64, 16)
    assert chosen.model_copy(update={"data": PUBLISHED.data}) == PUBLISHED


@pytest.mark.parametrize("model", [{"channels": 64}, {"scale": 2}, {"architecture": "compact", "blocks": 2}])
def test_a_settings_object_counts_as_given_like_a_tree(model: dict[str, Any]) -> None:
    assert SRGANSettings(model=ModelSettings(**model)) == SRGANSettings.model_validate({"model": model})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"model": {"architecture": "compact", "blocks": 2}}, ("srgan/compact", SAMPLE_RECIPE["model"]["channels"], 2)),
        ({"model": {"scale": 2}}, tuple(SAMPLE_RECIPE["model"].values())),
        ({"model": {"architecture": "srresnet", "blocks": 3}}, ("srgan/srresnet", 64, 3)),
        ({"data": Path("photos"), "model": {"architecture": "compact"}}, ("srgan/compact", 32, 5)),
    ],
)
def test_what_is_said_of_the_generator_wins(given: dict[str, Any], expected: tuple[str, int, int]) -> None:
    assert size(SRGANSettings.model_validate(given)) == expected


def test_whatever_is_given_wins_over_the_recipe() -> None:
    for path, info in leaves(SRGANSettings):
        node: Any = SAMPLE_RECIPE
        for part in path:
            node = node.get(part, {}) if isinstance(node, dict) else {}
        if node == {} or path[0] == "model":
            continue
        default: Any = PUBLISHED
        for part in path:
            default = getattr(default, part)
        if default is None:  # of a setting that is unset on other data, any other value
            default = type(node)(node * 0.5)
        tree: Any = default
        for part in reversed(path):
            tree = {part: tree}
        found: Any = SRGANSettings.model_validate(tree)
        assert size(found) == size(SRGANSettings())
        for part in path:
            found = getattr(found, part)
        assert found == default, f"{'.'.join(path)}: {info}"


@pytest.mark.parametrize("given", [{"weight": 0.2}, {"weights": "imagenet"}, {"layers": {"relu2_2": 1.0}}])
def test_who_speaks_of_the_perceptual_loss_gets_it(given: dict[str, Any]) -> None:
    chosen = SRGANSettings.model_validate({"perceptual": given})
    assert chosen.looks_at_features
    assert size(chosen) == size(SRGANSettings())


def test_settings_that_were_written_down_are_read_back_unchanged() -> None:
    for settings in (SRGANSettings(), SRGANSettings(model={"channels": 64}), PUBLISHED):
        assert SRGANSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_the_recipe_is_said_where_it_is_used() -> None:
    assert "--model.channels 64 --model.blocks 16" in str(SRGANSettings().recipe)
    assert "7 blocks" in str(SRGANSettings(model={"architecture": "compact", "blocks": 7}).recipe)
    assert SRGANSettings(model={"channels": 64}).recipe is None
    assert SRGANSettings(data=Path("photos"), model={"architecture": "compact"}).recipe is None


def test_weights_of_the_small_generator_rebuild_it(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    given = {"out": tmp_path, "name": "run", "device": "cpu", "epochs": 1, "samples_per_epoch": 2, "batch_size": 2}
    settings = SRGANSettings.model_validate({**given, "precision": "fp32", "sample_images": 0}).resolved()
    result = Trainer(SRGAN, settings, name="srgan/srgan").fit()
    task, modules = open_weights(result.weights, registry.get)
    assert isinstance(modules["generator"], Compact)
    assert isinstance(task.settings, SRGANSettings)
    assert size(task.settings) == size(settings)
