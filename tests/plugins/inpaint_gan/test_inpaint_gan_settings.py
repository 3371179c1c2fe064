"""Phases, their sizes, and which settings are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from recorder import Recorder
from small_inpaint_gan import settings

from restore.core.errors import UsageError
from restore.core.training_step import Phase
from restore.plugins.inpaint_gan.progressive import phase_size
from restore.plugins.inpaint_gan.settings import InpaintGANSettings
from restore.plugins.inpaint_gan.task import InpaintGAN

pytestmark = pytest.mark.usefixtures("one_thread", "seeded")


def test_phases_train_at_the_sizes_that_they_say() -> None:
    task = InpaintGAN(settings(epochs=9, pretrain={"epochs": 3}, progressive=[16, 24], discriminator={"layers": 1}))
    phases = list(task.phases())
    assert [(phase.name, phase.epochs) for phase in phases] == [
        ("pretrain", 3),
        ("16", 2),
        ("24", 2),
        ("adversarial", 2),
    ]
    assert [phase_size(phase, task.settings) for phase in phases] == [16, 16, 24, 32]
    for phase, side in zip(phases, (16, 16, 24, 32), strict=True):
        sample = task.dataset("train", phase)[0]
        assert {name: tuple(sample[name].shape) for name in ("input", "mask", "target")} == {
            "input": (3, side, side),
            "mask": (1, side, side),
            "target": (3, side, side),
        }
        assert torch.equal(sample["mask"], (sample["mask"] > 0.5).float())
        assert torch.equal(sample["input"], sample["target"] * (1 - sample["mask"]))
        assert task.dataset("validation", phase)[0]["target"].shape == (3, 32, 32)  # numbers can be compared
        step = Recorder(task, phase.name)
        batch = {name: torch.stack([value, value]) for name, value in sample.items()}
        task.train_step(batch, step)
        assert list(step.terms) == (["generator"] if phase.name == "pretrain" else ["discriminator", "generator"])


def test_sizes_may_stand_between_commas() -> None:
    assert settings(crop_size=96, progressive=["32,64"]).progressive == [32, 64]
    with pytest.raises(ValueError, match="integer"):
        settings(progressive=["32,x"])


def test_a_smaller_image_shows_the_same_scene() -> None:
    task = InpaintGAN(settings(progressive=[16], discriminator={"layers": 1}))
    first = next(phase for phase in task.phases() if phase.name == "pretrain")
    last = Phase("adversarial", 1, {})
    torch.manual_seed(3)
    small = task.dataset("train", first)[0]
    torch.manual_seed(3)
    large = task.dataset("train", last)[0]
    halved = torch.nn.functional.avg_pool2d(large["target"], 2)
    assert float((small["target"] - halved).abs().mean()) < 0.02
    assert bool((small["mask"] >= torch.nn.functional.avg_pool2d(large["mask"], 2).round()).all())


PLAYED: dict[str, Any] = {"epochs": 2, "pretrain": {"epochs": 0}, "discriminator": {"layers": 1}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": {"gated": True}}, "model.gated"),
        ({"model": {"architecture": "coarse-to-fine", "channels": 5}}, "multiple of 2"),
        ({"progressive": [64]}, "below crop_size=32"),
        ({"progressive": [24, 16]}, "must be ascending"),
        ({"crop_size": 32, "discriminator": {"architecture": "multi-scale-discriminator"}}, "at least 48 pixels"),
        ({"adversarial": {"kind": "wasserstein"}, "discriminator": {"norm": "batch"}}, "gradient penalty"),
        ({"loss": "masked-l1,hole=0,known=0"}, "no pixel"),
        ({"loss": "masked-mse,discount=0.9"}, "discount"),
        ({"pretrain": {"epochs": 5}}, "more than epochs"),
        ({"style": {"weight": 1.0, "layers": {"relu9_9": 1.0}}}, "style.layers: vgg16 has no layer 'relu9_9'"),
        (
            {**PLAYED, "crop_size": 16, "perceptual": {"weight": 1.0, "layers": {"pool5": 1.0}}},
            "crop_size=16: layer pool5 of vgg16",
        ),
        (
            {**PLAYED, "progressive": [16], "style": {"weight": 1.0, "layers": {"pool5": 1.0}}},
            "progressive=16: layer pool5",
        ),
        ({"loss": "masked-l1,hole=0"}, "pretraining would have no effect"),
        ({**PLAYED, "progressive": [16, 24], "progressive_epochs": [1]}, "has 1 number\\(s\\) for 2 size\\(s\\)"),
        (
            {**PLAYED, "progressive": [16, 24], "progressive_epochs": [1, 2]},
            "more than the 2 epoch\\(s\\) of the adversarial phase",
        ),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        settings(**changes)


def test_what_a_run_decides_is_fixed() -> None:
    resolved = settings(crop_size=48, model={"channels": 4, "depth": 3}, samples_per_epoch=None, epochs=10).resolved()
    assert resolved.model.window == 48
    assert resolved.pretrain.epochs == 7
    assert resolved.samples_per_epoch is not None
    assert InpaintGAN(resolved).window == 48
    longer = resolved.model_copy(update={"epochs": 20})
    assert [phase.epochs for phase in InpaintGAN(longer).phases()] == [7, 13]  # a resumed run plays on


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "masked-l1,hole=0", "pretrain": {"epochs": 0}},
        {"loss": "masked-l1,hole=0", "model": {"start": "gray"}},
        {"loss": ["masked-l1,hole=0", "masked-total-variation,weight=0.1"]},
        {"crop_size": 16, "discriminator": {"layers": 1}, "perceptual": {"weight": 0, "layers": {"pool5": 1.0}}},
    ],
)
def test_what_harms_nothing_is_accepted(changes: dict[str, Any]) -> None:
    assert settings(**changes)


@pytest.mark.parametrize(
    ("epochs", "first", "more"),
    [
        (4, [("pretrain", 1), ("16", 1), ("24", 1), ("adversarial", 1)], 4),
        (3, [("pretrain", 1), ("24", 1), ("adversarial", 1)], 5),
        (2, [("pretrain", 1), ("adversarial", 1)], 6),
    ],
)
def test_a_resumed_run_begins_with_the_same_phases(epochs: int, first: list[tuple[str, int]], more: int) -> None:
    before = settings(
        epochs=epochs, pretrain={"epochs": 1}, progressive=[16, 24], discriminator={"layers": 1}
    ).resolved()
    assert [(phase.name, phase.epochs) for phase in InpaintGAN(before).phases()] == first
    after = type(before).model_validate({**before.model_dump(), "epochs": 7})
    progressive_phases = [(phase.name, phase.epochs) for phase in InpaintGAN(after).phases()]
    assert progressive_phases == [*first[:-1], ("adversarial", more)]


def test_the_epochs_at_each_size_can_be_chosen() -> None:
    sizes = {"progressive": [16, 24], "progressive_epochs": ["1,2"]}
    chosen = settings(epochs=9, **sizes, discriminator={"layers": 1}).resolved()
    assert [phase.epochs for phase in InpaintGAN(chosen).phases() if phase.name != "pretrain"][:2] == [1, 2]


@pytest.mark.parametrize("flag", ["data", "val_data"])
def test_a_folder_without_images_is_told_before_the_features_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, flag: str
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(UsageError, match="no images"):
        settings(**{flag: tmp_path, "epochs": 2, "pretrain": {"epochs": 1}, "perceptual": {"weight": 1.0}}).resolved()
    assert not caplog.text


def test_the_augment_group_reaches_the_training_crops() -> None:
    crops = []
    for augment in ({}, {}, {"zoom": [3, 3]}):
        task = InpaintGAN(settings(augment=augment))
        torch.manual_seed(0)
        crops.append(task.dataset("train", task.phases()[0])[0]["target"])
    assert torch.equal(crops[0], crops[1])
    assert not torch.equal(crops[0], crops[2])


def test_a_run_on_the_sample_has_no_normalization_unless_another_network_is_asked_for() -> None:
    sample = InpaintGANSettings()
    assert (sample.model.norm, sample.model.depth) == ("none", 3)
    assert sample.recipe is not None
    for changes in ({"data": "photos"}, {"model": {"norm": "batch"}}, {"model": {"start": "gray"}}):
        other = InpaintGANSettings.model_validate(changes)
        assert (other.model.norm, other.model.depth) == ("batch", 6)
        assert other.recipe is None
    deep = InpaintGANSettings.model_validate({"model": {"depth": 6}})
    assert (deep.model.norm, deep.model.depth) == ("none", 6)
