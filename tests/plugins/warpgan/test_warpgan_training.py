"""What each loss of WarpGAN asks for, and what a step logs."""

from __future__ import annotations

import math

import pytest
import torch
from recorder import Recorder

from restore.plugins.warpgan.task import WarpGAN


def stepped(phase: str = "adversarial", **changes) -> Recorder:
    torch.manual_seed(0)
    task = WarpGAN(WarpGAN.tiny_settings(**changes).resolved())
    images = task.dataset("train", task.phases()[-1])
    samples = [images[index] for index in (0, 15)]
    step = Recorder(task, phase)
    batch = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
    task.train_step(batch, step)
    return step


def test_pretraining_moves_the_discriminator_alone() -> None:
    step = stepped("pretrain")
    assert list(step.terms) == ["discriminator"]
    assert set(step.terms["discriminator"]) == {"patch", "identity"}


def test_the_discriminator_moves_before_the_generator() -> None:
    assert list(stepped().terms) == ["discriminator", "generator"]


def test_terms_have_the_weights_of_the_paper() -> None:
    """Fresh networks are undecided: 2 log 3 of the patches, log 36 of twelve people in three kinds."""
    terms = {name: float(term) for name, term in stepped().terms["generator"].items()}
    assert set(terms) == {"patch", "identity", "photograph_texture", "caricature_texture", "outside"}
    assert terms["patch"] == pytest.approx(2 * math.log(3), rel=0.05)
    assert terms["identity"] == pytest.approx(math.log(36), rel=0.05)
    assert terms["outside"] == 0


def test_a_weight_scales_its_term_alone() -> None:
    plain, weighed = (stepped(loss=loss).terms["generator"] for loss in ({}, {"caricature_texture": 5.0}))
    assert weighed["caricature_texture"] == pytest.approx(float(plain["caricature_texture"]) / 2, rel=1e-5)
    assert weighed["photograph_texture"] == pytest.approx(float(plain["photograph_texture"]), rel=1e-5)


def test_penalties_without_a_weight_are_left_out_but_measured() -> None:
    step = stepped(loss={"outside": 0, "folds": 0})
    assert not {"outside", "folds"} & set(step.terms["generator"])
    assert {"warp_outside", "warp_folded", "warp_displacement"} <= set(step.logged)


def test_folds_can_be_penalized() -> None:
    assert stepped(loss={"folds": 1.0}).terms["generator"]["folds"] >= 0


def test_a_step_logs_how_adversarial_training_stands() -> None:
    numbers = stepped().logged
    assert {"d_real", "d_fake", "d_right", "diversity", "checkerboard"} <= set(numbers)
    assert all(0 <= numbers[name] <= 1 for name in ("d_real", "d_fake", "d_right"))
