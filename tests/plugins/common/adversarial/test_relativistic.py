"""Relativistic losses and R1, against small computations of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from restore.plugins.common.adversarial.losses import Hinge, Relativistic, Vanilla, real_gradient_penalty

REAL = np.array([[1.5, -0.2], [0.3, 2.0]])
FAKE = np.array([[-0.7, 0.4], [0.9, -1.1]])


def tensors() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(REAL), torch.from_numpy(FAKE)


def cross_entropy(score: np.ndarray, label: float) -> float:
    probability = 1 / (1 + np.exp(-score))
    return float(np.mean(-label * np.log(probability) - (1 - label) * np.log(1 - probability)))


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("label", [1.0, 0.9])
def test_cross_entropy_of_relative_scores(average: bool, label: float) -> None:
    loss = Relativistic(0.5, Vanilla(real_label=label), average=average)
    more = REAL - (FAKE.mean() if average else FAKE)
    less = FAKE - (REAL.mean() if average else REAL)
    terms = loss.discriminator(*tensors())
    assert float(terms["d_loss_real"]) == pytest.approx(cross_entropy(more, label) / 2)
    assert float(terms["d_loss_fake"]) == pytest.approx(cross_entropy(less, 0) / 2)
    real, fake = tensors()
    (name, value) = next(iter(loss.generator(fake, real).items()))
    assert name == "adversarial"
    assert float(value) == pytest.approx(0.5 * (cross_entropy(less, 1) + cross_entropy(more, 0)) / 2)


def test_hinge_of_relative_scores() -> None:
    loss = Relativistic(1.0, Hinge())
    more, less = REAL - FAKE.mean(), FAKE - REAL.mean()
    terms = loss.discriminator(*tensors())
    assert float(terms["d_loss_real"]) == pytest.approx(np.maximum(0, 1 - more).mean() / 2)
    assert float(terms["d_loss_fake"]) == pytest.approx(np.maximum(0, 1 + less).mean() / 2)
    real, fake = tensors()
    expected = (np.maximum(0, 1 - less).mean() + np.maximum(0, 1 + more).mean()) / 2
    assert float(loss.generator(fake, real)["adversarial"]) == pytest.approx(expected)


def test_what_all_scores_have_in_common_does_not_count() -> None:
    loss, (real, fake) = Relativistic(), tensors()
    for before, after in zip(
        loss.discriminator(real, fake).values(), loss.discriminator(real + 7, fake + 7).values(), strict=True
    ):
        assert float(before) == pytest.approx(float(after))
    assert loss.score_stats(real, fake) == {
        "d_real": pytest.approx(float(torch.sigmoid(real - fake.mean()).mean())),
        "d_fake": pytest.approx(float(torch.sigmoid(fake - real.mean()).mean())),
    }


def test_the_generator_needs_real_scores_and_learns_from_both() -> None:
    real, fake = (scores.requires_grad_() for scores in tensors())
    with pytest.raises(ValueError, match="scores of real images"):
        Relativistic().generator(fake)
    Relativistic().generator(fake, real)["adversarial"].backward()
    assert fake.grad is not None
    assert real.grad is not None
    assert bool((fake.grad < 0).all())
    assert bool((real.grad > 0).all())


def test_r1_of_a_plane_is_half_its_squared_slope() -> None:
    weights = torch.randn(3 * 4 * 5, dtype=torch.float64)
    real = torch.rand(6, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert float(real_gradient_penalty(real.flatten(1) @ weights, real)) == pytest.approx(
        float(weights.square().sum()) / 2
    )


def test_r1_equals_finite_differences_and_reaches_the_discriminator() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1)).double()
    real = torch.rand(2, 3, 4, 4, dtype=torch.float64)
    step, total = 1e-5, 0.0
    for image in real:
        for place in range(image.numel()):
            moved = [image.clone(), image.clone()]
            for sign, each in zip((1, -1), moved, strict=True):
                each.view(-1)[place] += sign * step
            with torch.no_grad():
                up, down = (float(network(each[None]).mean()) for each in moved)
            total += ((up - down) / (2 * step)) ** 2
    watched = real.requires_grad_()
    penalty = real_gradient_penalty(network(watched), watched)
    assert float(penalty.detach()) == pytest.approx(total / 2 / 2, rel=1e-6)
    penalty.backward()
    slopes = [parameter.grad for parameter in network.parameters() if parameter.dim() > 1]
    assert all(slope is not None and math.isfinite(float(slope.abs().sum())) for slope in slopes)
    assert all(float(slope.abs().sum()) > 0 for slope in slopes if slope is not None)
