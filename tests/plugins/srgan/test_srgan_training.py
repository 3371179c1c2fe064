from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from built import networks_of
from recorder import Recorder
from torch import Tensor

from restore.core.networks import Networks
from restore.plugins.srgan.settings import SRGANSettings
from restore.plugins.srgan.task import SRGAN

SMALL = {
    "crop_size": 16,
    "model": {"channels": 4, "blocks": 1},
    "discriminator": {"channels": 4, "hidden": 8},
    "perceptual": {"weights": "random", "layers": {"relu1_2": 1.0}},
}


def one_step(phase: str, **given: Any) -> Recorder:
    torch.manual_seed(0)
    task = SRGAN(SRGANSettings(**{**SMALL, **given}))
    step = Recorder(task, phase)
    batch = {"input": torch.rand(2, 3, 4, 4), "target": torch.rand(2, 3, 16, 16)}
    task.train_step(batch, step)
    return step


def moved(gradients: Mapping[str, Tensor | None]) -> set[str]:
    return {name for name, gradient in gradients.items() if gradient is not None and bool(gradient.abs().sum() > 0)}


@pytest.mark.parametrize("architecture", ["srresnet", "msrresnet", "compact", "light"])
@pytest.mark.parametrize("phase", ["pretrain", "adversarial"])
def test_every_trained_parameter_takes_part_and_no_other(phase: str, architecture: str) -> None:
    step = one_step(phase, model={"architecture": architecture, "channels": 4, "blocks": 1})
    assert list(step.terms) == (["generator"] if phase == "pretrain" else ["discriminator", "generator"])
    for name, gradients in step.gradients.items():
        assert moved(gradients) == {key for key in gradients if key.startswith(f"{name}.")}


def test_adversarial_training_has_a_pixel_anchor_by_default() -> None:
    terms = one_step("adversarial").terms["generator"]
    assert set(terms) == {"l1", "adversarial", "perceptual"}
    assert SRGANSettings().adversarial.pixel_weight >= 1


def test_a_perceptual_weight_of_zero_leaves_the_features_out() -> None:
    step = one_step("adversarial", perceptual={"weight": 0})
    assert set(step.terms["generator"]) == {"l1", "adversarial"}
    assert "features" not in step.networks


def test_pretraining_alone_builds_no_features() -> None:
    assert "features" not in one_step("pretrain", epochs=1).networks


@pytest.mark.parametrize("loss", ["l1", "mse", "charbonnier"])
def test_each_pixel_loss_can_be_chosen(loss: str) -> None:
    chosen = {"loss": f"common/{loss}"}
    assert set(one_step("pretrain", **chosen).terms["generator"]) == {loss}
    assert loss in one_step("adversarial", **chosen).terms["generator"]


@pytest.mark.parametrize("kind", ["vanilla", "least-squares", "hinge"])
def test_the_discriminators_scores_are_logged_as_probabilities(kind: str) -> None:
    step = one_step("adversarial", adversarial={"kind": kind})
    assert set(step.logged) == {"d_real", "d_fake", "d_fake_after", "checkerboard", "diversity", "sharpness"}
    assert all(0 <= step.logged[name] <= 1 for name in ("d_real", "d_fake", "d_fake_after"))
    assert set(step.terms["discriminator"]) == {"d_loss_real", "d_loss_fake"}


def test_photographs_and_upscaled_images_share_one_batch_of_the_discriminator() -> None:
    task = SRGAN(SRGANSettings(**SMALL))
    sizes: list[int] = []
    discriminator = networks_of(task)["discriminator"]
    discriminator.register_forward_hook(lambda module, inputs, output: sizes.append(len(inputs[0])))
    batch = {"input": torch.rand(2, 3, 4, 4), "target": torch.rand(2, 3, 16, 16)}
    task.train_step(batch, Recorder(task, "adversarial"))
    assert sizes == [4, 4]


@pytest.mark.parametrize(
    ("d_real", "d_fake", "won"), [(0.999, 1e-4, True), (0.999, 0.1, False), (0.6, 1e-4, False), (0.5, 0.5, False)]
)
def test_a_discriminator_that_has_won_is_told_of(d_real: float, d_fake: float, won: bool) -> None:
    message = SRGAN(SRGANSettings(**SMALL)).health({"d_real": d_real, "d_fake": d_fake})
    assert (message is not None) == won
    if message:
        assert "the discriminator has won" in message
        assert "--adversarial.discriminator.lr" in message


@pytest.mark.parametrize(("kind", "labels"), [("vanilla", True), ("least-squares", True), ("hinge", False)])
def test_a_label_is_advised_only_where_it_counts(kind: str, labels: bool) -> None:
    message = SRGAN(SRGANSettings(**SMALL, adversarial={"kind": kind})).health({"d_real": 1.0, "d_fake": 0.0})
    assert ("real-label" in str(message)) == labels


def test_numbers_of_pretraining_are_no_cause_for_alarm() -> None:
    assert SRGAN(SRGANSettings(**SMALL)).health({"generator/l1": 0.1}) is None


def test_pretraining_is_judged_by_psnr_and_the_adversarial_phase_is_not() -> None:
    pretrain, adversarial = SRGAN(SRGANSettings(**SMALL, epochs=10)).phases()
    assert (pretrain.epochs, pretrain.monitor) == (8, "psnr")
    assert (adversarial.epochs, adversarial.monitor, adversarial.start) == (2, None, "best")


def test_a_prediction_stays_within_black_and_white() -> None:
    task = SRGAN(SRGANSettings(**SMALL))
    output = task.predict({"input": torch.rand(1, 3, 6, 5) * 20 - 10}, networks_of(task))["output"].detach()
    assert output.shape == (1, 3, 24, 20)
    assert (float(output.min()), float(output.max())) == (0, 1)


@pytest.mark.parametrize("architecture", ["srresnet", "msrresnet", "compact", "light"])
def test_a_tile_with_its_halo_equals_that_part_of_the_whole(architecture: str) -> None:
    task = SRGAN(SRGANSettings(model={"architecture": architecture, "channels": 4, "blocks": 2, "scale": 2}))
    network, halo = networks_of(task)["generator"].double().eval(), task.tiling.halo
    image = torch.rand(1, 3, 8, 40, dtype=torch.float64)
    whole = network(image)
    tile = network(image[..., 20 - halo :])[..., 2 * halo :]
    assert task.tiling.mode == "exact"
    assert torch.allclose(tile, whole[..., 40:], rtol=0, atol=1e-12)
    shorter = network(image[..., 20 - halo + 3 :])[..., 2 * (halo - 3) :]
    assert not torch.allclose(shorter, whole[..., 40:], rtol=0, atol=1e-12)


def test_bicubic_of_the_same_scale_is_the_baseline() -> None:
    (name, baseline), *others = SRGAN(SRGANSettings(model={"scale": 3})).baselines().items()
    assert (name, others) == ("bicubic", [])
    assert baseline.predict({"input": torch.rand(1, 3, 5, 4)}, Networks({}))["output"].shape == (1, 3, 15, 12)
