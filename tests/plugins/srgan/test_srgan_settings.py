from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from restore.core.errors import UsageError
from restore.plugins.srgan.settings import SRGANSettings


def settings(**given: Any) -> SRGANSettings:
    """Settings that need no feature network, unless asked for."""
    return SRGANSettings(**{"perceptual": {"weights": "random"}, **given})


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(1, (1, 0)), (2, (1, 1)), (3, (2, 1)), (5, (4, 1)), (8, (6, 2)), (20, (16, 4)), (25, (20, 5))],
)
def test_epochs_are_split_four_to_one(epochs: int, expected: tuple[int, int]) -> None:
    assert settings(epochs=epochs).split() == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"epochs": 20, "pretrain": {"epochs": 5}}, (5, 15)),
        ({"epochs": 20, "pretrain": {"epochs": 20}}, (20, 0)),
        ({"epochs": 20, "adversarial": {"epochs": 7}}, (13, 7)),
        ({"epochs": 20, "adversarial": {"epochs": 0}}, (20, 0)),
        ({"pretrain": {"epochs": 30}, "adversarial": {"epochs": 9}}, (30, 9)),
    ],
)
def test_either_part_can_be_set(given: dict[str, Any], expected: tuple[int, int]) -> None:
    resolved = settings(**given).resolved()
    assert resolved.split() == expected
    assert resolved.epochs == sum(expected)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"epochs": 20, "pretrain": {"epochs": 5}, "adversarial": {"epochs": 5}}, "leave one of the three out"),
        ({"epochs": 4, "pretrain": {"epochs": 5}}, "pretrain.epochs=5 is more than epochs=4"),
        ({"epochs": 4, "adversarial": {"epochs": 4}}, "adversarial.epochs=4 uses all 4 epochs"),
        ({"crop_size": 50}, "crop_size .50. is not a multiple of the scale .4."),
        ({"crop_size": 50, "data": Path("x"), "model": {"scale": 4}}, "is not a multiple of the scale .4."),
        ({"crop_size": 8}, "crop_size=8: layer relu5_4 of vgg19 needs at least 16 pixels"),
        ({"model": {"clamp": True}}, "model.clamp"),
        ({"model": {"scale": 5}}, "Input should be 2, 3, 4 or 8"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(**given)


@pytest.mark.parametrize(
    ("given", "first", "more"),
    [
        ({"epochs": 20}, (16, 4), (16, 14)),
        ({"epochs": 20, "adversarial": {"epochs": 2}}, (18, 2), (18, 12)),
        ({"pretrain": {"epochs": 7}, "adversarial": {"epochs": 0}}, (7, 0), (30, 0)),  # zero is no phase, and not unset
    ],
)
def test_a_resumed_run_adds_epochs_to_the_adversarial_phase(
    given: dict[str, Any], first: tuple[int, int], more: tuple[int, int]
) -> None:
    before = settings(**given).resolved()
    after = type(before)(**{**before.model_dump(), "epochs": 30})
    assert (before.split(), after.split()) == (first, more)


def test_one_epoch_is_pretraining_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        resolved = settings(epochs=1).resolved()
    assert resolved.split() == (1, 0)
    assert "--epochs 1 runs pretraining only" in caplog.text


def test_two_epochs_have_nothing_to_say(caplog: pytest.LogCaptureFixture) -> None:
    settings(epochs=2).resolved()
    assert not caplog.text


@pytest.fixture
def nothing_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.mark.usefixtures("nothing_cached")
def test_without_trained_features_they_are_random_from_then_on(caplog: pytest.LogCaptureFixture) -> None:
    resolved = SRGANSettings(epochs=2, model={"architecture": "msrresnet"}).resolved()
    assert resolved.perceptual.weights == "random"
    assert caplog.text.count("random") == 1
    assert resolved.resolved() == resolved


@pytest.mark.usefixtures("nothing_cached")
def test_pretraining_alone_neither_warns_of_features_nor_fetches_them(caplog: pytest.LogCaptureFixture) -> None:
    resolved = SRGANSettings(epochs=3, adversarial={"epochs": 0}, perceptual={"weight": 0.1}).resolved()
    assert resolved.perceptual.weights == "random"
    asked = SRGANSettings(epochs=3, adversarial={"epochs": 0}, perceptual={"weights": "imagenet"}).resolved()
    assert asked.perceptual.weights == "imagenet"
    assert not caplog.text


@pytest.mark.usefixtures("nothing_cached")
def test_a_perceptual_loss_of_weight_zero_decides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    resolved = SRGANSettings(epochs=5, perceptual={"weight": 0}).resolved()
    assert resolved.perceptual.weights == "auto"
    assert not caplog.text


def pairs(folder: Path, scale: int) -> Path:
    for name, side in (("LR", 16), ("HR", 16 * scale)):
        (folder / name).mkdir(parents=True)
        for image in ("a.png", "b.png"):
            Image.new("RGB", (side, side)).save(folder / name / image)
    return folder


def test_the_scale_is_read_from_paired_data(tmp_path: Path) -> None:
    assert settings(data=pairs(tmp_path, 2)).resolved().model.scale == 2


def test_a_scale_that_was_asked_for_is_kept(tmp_path: Path) -> None:
    assert settings(data=pairs(tmp_path, 2), model={"scale": 4}).resolved().model.scale == 4


def test_a_crop_is_compared_with_the_scale_of_the_pairs(tmp_path: Path) -> None:
    data = pairs(tmp_path, 3)
    assert settings(data=data, crop_size=99).resolved().model.scale == 3
    with pytest.raises(UsageError, match=r"--crop-size 40 is not a multiple of the scale .3."):
        settings(data=data, crop_size=40).resolved()


@pytest.mark.parametrize("given", [{"perceptual": {"weight": 0}}, {"epochs": 4, "adversarial": {"epochs": 0}}])
def test_crops_that_no_features_look_at_may_be_small(given: dict[str, Any]) -> None:
    assert settings(crop_size=8, **given).crop_size == 8


def test_pairs_of_a_scale_that_no_generator_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the pairs have scale 5; srgan supports 2, 3, 4 and 8"):
        settings(data=pairs(tmp_path, 5)).resolved()


@pytest.mark.usefixtures("nothing_cached")
@pytest.mark.parametrize("flag", ["data", "val_data"])
def test_a_folder_without_images_is_told_before_the_features_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, flag: str
) -> None:
    with pytest.raises(UsageError, match=r"no images"):
        SRGANSettings.model_validate({flag: tmp_path, "model": {"scale": 4}}).resolved()
    assert not caplog.text


def test_settings_import_no_torch() -> None:
    code = "import sys, restore.plugins.srgan, restore.plugins.srgan.settings; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "torchvision", "accelerate", "numpy"} & set(run.stdout.split())
