"""What the two networks of inpaint-gan learn from in one step."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from built import networks_of
from recorder import Recorder
from small_inpaint_gan import DISCRIMINATORS, KINDS, discriminator, generator, masked_batch, settings

from restore.plugins.inpaint_gan.task import InpaintGAN

pytestmark = pytest.mark.usefixtures("one_thread", "seeded")


def one_step(phase: str = "adversarial", run_step: int = 0, progress: float = 0.0, **changes: Any) -> Recorder:
    task = InpaintGAN(settings(**changes))
    step = Recorder(task, phase, run_step=run_step, progress=progress)
    task.train_step(masked_batch(), step)
    return step


@pytest.mark.parametrize(
    ("name", "gated", "opponent", "kind"),
    [
        *(("unet-generator", False, *rest) for rest in product(DISCRIMINATORS, KINDS)),
        *(("coarse-to-fine", gated, opponent, "hinge") for gated, opponent in product((False, True), DISCRIMINATORS)),
    ],
)
def test_every_generator_takes_a_step_against_every_discriminator(
    name: str, gated: bool, opponent: str, kind: str
) -> None:
    step = one_step(
        model=generator(name, **({"gated": True} if gated else {})),
        discriminator=discriminator(opponent),
        adversarial={"kind": kind},
    )
    assert list(step.terms) == ["discriminator", "generator"]
    penalized = {"gradient_penalty"} if kind == "wasserstein" else set()
    assert set(step.terms["discriminator"]) == {"d_loss_real", "d_loss_fake"} | penalized
    coarse = {"coarse_l1_hole", "coarse_l1_known"} if name == "coarse-to-fine" else set()
    assert set(step.terms["generator"]) == {"l1_hole", "l1_known", "adversarial"} | coarse
    for trained, gradients in step.gradients.items():
        moved = {key for key, gradient in gradients.items() if gradient is not None and bool(gradient.any())}
        own = {key for key in gradients if key.startswith(f"{trained}.")}
        assert moved <= own
        assert {key for key in own if gradients[key] is not None} == own


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_both_kinds_of_images_pass_through_a_normalized_discriminator_together(norm: str) -> None:
    task = InpaintGAN(settings(discriminator={"layers": 1, "norm": norm}))
    sizes: list[int] = []
    networks_of(task)["discriminator"].register_forward_hook(
        lambda module, inputs, output: sizes.append(len(inputs[0]))
    )
    task.train_step(masked_batch(), Recorder(task, "adversarial"))
    assert sizes == ([4, 4] if norm == "batch" else [4, 2])


def test_pretraining_is_the_generators_alone_and_the_adversarial_phase_may_be_too_slow_for_it() -> None:
    step = one_step("pretrain")
    assert {name: set(terms) for name, terms in step.terms.items()} == {"generator": {"l1_hole", "l1_known"}}
    rare = {"generator_every": 5}
    assert list(one_step(run_step=4, adversarial=rare).terms) == ["discriminator"]
    assert list(one_step(run_step=5, adversarial=rare).terms) == ["discriminator", "generator"]


def test_each_loss_can_be_given_a_weight() -> None:
    step = one_step(
        model={"start": "gray", "channels": 4, "depth": 3},
        loss=["discounted-l1,weight=6,discount=0.9", "masked-l1,hole=0", "masked-total-variation,weight=0.1"],
        perceptual={"weight": 0.05, "weights": "random", "layers": {"relu1_1": 1.0}},
        style={"weight": 120.0, "layers": {"relu1_2": 1.0}},
        adversarial={"feature_matching": 10.0},
    )
    others = {"perceptual", "style", "feature_matching"}
    assert set(step.terms["generator"]) == {"l1_discounted", "l1_known", "total_variation", "adversarial", *others}
    assert all(float(value) != 0 for value in step.terms["generator"].values())
    assert set(one_step("pretrain", loss="masked-mse").terms["generator"]) == {"mse_hole", "mse_known"}


def test_what_is_logged_shows_how_adversarial_training_goes() -> None:
    young, old = one_step(), one_step(progress=0.5)
    assert set(young.logged) == {"d_real", "d_fake", "checkerboard", "diversity"}
    assert set(old.logged) == {*young.logged, "sharpness"}
    assert "has won" in str(old.task.health({"d_real": 1.0, "d_fake": 0.0}))
    assert old.task.health({"d_real": 0.6, "d_fake": 0.4, "generator/gradient": 1.0}) is None


def test_a_kind_of_holes_that_was_not_learned_is_told_of() -> None:
    task = InpaintGAN(settings(masks={"kinds": ["strokes", "border"]}))
    keys = task.training_protocol
    assert {"psnr-strokes", "psnr-border"} <= keys.keys()
    numbers = {f"validation/{key}": 25.0 for key in keys} | {f"baseline/mean/{key}": 15.0 for key in keys}
    assert task.health(numbers) is None
    assert "masks of kind border are filled worse" in str(task.health({**numbers, "validation/psnr-border": 14.0}))
