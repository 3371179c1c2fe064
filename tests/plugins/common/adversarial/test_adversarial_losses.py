"""Adversarial pairs: their formulas, what they push towards, and the gradient penalty."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from restore.plugins.common.adversarial.losses import (
    AdversarialLoss,
    Hinge,
    LeastSquares,
    Vanilla,
    Wasserstein,
    gradient_penalty,
)

REAL, FAKE = torch.tensor([[2.0], [-0.5]]), torch.tensor([[0.3], [-3.0]])


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


FORMULAS: list[tuple[AdversarialLoss, Callable[[float], float], Callable[[float], float], Callable[[float], float]]] = [
    (Vanilla(), lambda x: -log_sigmoid(x), lambda x: -log_sigmoid(-x), lambda x: -log_sigmoid(x)),
    (
        Vanilla(real_label=0.9),
        lambda x: -0.9 * log_sigmoid(x) - 0.1 * log_sigmoid(-x),
        lambda x: -log_sigmoid(-x),
        lambda x: -log_sigmoid(x),
    ),
    (LeastSquares(), lambda x: (x - 1) ** 2 / 2, lambda x: x**2 / 2, lambda x: (x - 1) ** 2 / 2),
    (LeastSquares(real_label=0.8), lambda x: (x - 0.8) ** 2 / 2, lambda x: x**2 / 2, lambda x: (x - 1) ** 2 / 2),
    (Hinge(), lambda x: max(0, 1 - x), lambda x: max(0, 1 + x), lambda x: -x),
    (Wasserstein(), lambda x: -x, lambda x: x, lambda x: -x),
]


@pytest.mark.parametrize(("loss", "real", "fake", "generated"), FORMULAS)
def test_each_term_is_the_mean_of_its_formula(
    loss: AdversarialLoss,
    real: Callable[[float], float],
    fake: Callable[[float], float],
    generated: Callable[[float], float],
) -> None:
    def mean(formula: Callable[[float], float], scores: Tensor) -> float:
        return sum(formula(float(score)) for score in scores) / len(scores)

    terms = loss.discriminator(REAL, FAKE)
    assert list(terms) == ["d_loss_real", "d_loss_fake"]
    assert float(terms["d_loss_real"]) == pytest.approx(mean(real, REAL), rel=1e-6)
    assert float(terms["d_loss_fake"]) == pytest.approx(mean(fake, FAKE), rel=1e-6)
    assert float(loss.generator(FAKE)["adversarial"]) == pytest.approx(mean(generated, FAKE), rel=1e-6)


@pytest.mark.parametrize("loss", [Vanilla(), LeastSquares(), Hinge(), Wasserstein()])
def test_the_generator_is_pushed_towards_higher_scores_and_the_discriminator_apart(loss: AdversarialLoss) -> None:
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    torch.stack(list(loss.discriminator(real, fake).values())).sum().backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert (real.grad < 0).all()
    assert (loss.d_loss_fake(torch.full((3,), 0.5)) > loss.d_loss_fake(torch.full((3,), 0.25))).all()
    scores = torch.zeros(3, requires_grad=True)
    loss.generator(scores)["adversarial"].backward()
    assert scores.grad is not None
    assert (scores.grad < 0).all()


def test_a_generator_whose_discriminator_is_certain_still_has_a_gradient() -> None:
    scores = torch.full((4,), -120.0, requires_grad=True)
    Vanilla().generator(scores)["adversarial"].backward()
    assert scores.grad is not None
    assert float(scores.grad.sum()) == pytest.approx(-1)


def test_the_weight_is_the_generators_alone() -> None:
    for loss in (Vanilla, LeastSquares, Hinge, Wasserstein):
        light, heavy = loss(), loss(weight=10.0)
        assert float(heavy.generator(FAKE)["adversarial"]) == pytest.approx(
            10 * float(light.generator(FAKE)["adversarial"])
        )
        assert float(heavy.discriminator(REAL, FAKE)["d_loss_real"]) == float(
            light.discriminator(REAL, FAKE)["d_loss_real"]
        )


def test_maps_of_scores_are_averaged() -> None:
    scores = torch.randn(2, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    for loss in (Vanilla(), LeastSquares(), Hinge(), Wasserstein()):
        assert float(loss.d_loss_fake(scores)) == pytest.approx(float(loss.d_loss_fake(scores.flatten())), rel=1e-6)


def test_only_wasserstein_has_a_penalty() -> None:
    images = torch.rand(2, 1, 2, 2)
    for loss in (Vanilla(), LeastSquares(), Hinge(), Wasserstein(penalty_weight=0)):
        assert loss.penalty(lambda x: x.flatten(1).sum(1), images, images) == {}
    (term,) = Wasserstein(penalty_weight=7).penalty(lambda x: 3 * x[:, 0, 0, 0], images, images).values()
    assert float(term) == pytest.approx(7 * (3 - 1) ** 2)


def test_the_penalty_of_a_plane_is_known() -> None:
    # A discriminator with the slope w everywhere: the penalty is (‖w‖ - 1)², wherever the points lie.
    slope = torch.tensor([3.0, -4.0], dtype=torch.float64)
    real, fake = torch.rand(2, 5, 2, dtype=torch.float64)
    assert float(gradient_penalty(lambda x: x @ slope, real, fake)) == pytest.approx((5 - 1) ** 2)


def test_points_lie_between_each_real_image_and_its_generated_one() -> None:
    seen: list[Tensor] = []

    def discriminator(images: Tensor) -> Tensor:
        seen.append(images.detach())
        return images.flatten(1).sum(1)

    gradient_penalty(
        discriminator, torch.zeros(500, 1, 2, 2), torch.arange(1.0, 501).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    )
    shares = seen[0] / torch.arange(1.0, 501).view(-1, 1, 1, 1)
    assert (shares == shares[:, :, :1, :1]).all()
    assert 0 <= float(shares.min()) < 0.02
    assert 0.98 < float(shares.max()) <= 1


def small_discriminator() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(36, 1)).double()


def gradients(discriminator: nn.Module) -> list[Tensor]:
    # The last bias moves every score alike, so that no slope depends on it.
    return [parameter.grad for parameter in list(discriminator.parameters())[:-1] if parameter.grad is not None]


def test_equal_micro_batches_add_up_to_the_penalty_of_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    discriminator = small_discriminator()
    real, fake = torch.rand(2, 4, 1, 3, 3, dtype=torch.float64)
    shares = torch.rand(4, 1, 1, 1, dtype=torch.float64)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: shares)
    gradient_penalty(discriminator, real, fake).backward()
    whole = [gradient.clone() for gradient in gradients(discriminator)]
    discriminator.zero_grad()
    for half in (slice(0, 2), slice(2, 4)):
        monkeypatch.setattr(torch, "rand", lambda *_, half=half, **__: shares[half])
        (gradient_penalty(discriminator, real[half], fake[half]) / 2).backward()
    assert len(whole) == 3
    for once, added in zip(whole, gradients(discriminator), strict=True):
        assert torch.allclose(once, added, rtol=1e-12)


def test_the_penalty_reaches_the_discriminator_as_finite_differences_say_and_never_the_generator() -> None:
    discriminator = small_discriminator()
    weight = discriminator[3].weight
    real = torch.rand(3, 1, 3, 3, dtype=torch.float64)
    fake = torch.rand(3, 1, 3, 3, dtype=torch.float64, requires_grad=True)

    def penalty() -> Tensor:
        torch.manual_seed(2)
        return gradient_penalty(discriminator, real, fake)

    penalty().backward()
    assert fake.grad is None
    assert isinstance(weight, Tensor)
    assert weight.grad is not None
    with torch.no_grad():
        before = float(weight[0, 5])
        sides = []
        for change in (1e-6, -1e-6):
            weight[0, 5] = before + change
            with torch.enable_grad():
                sides.append(penalty().item())
    assert float(weight.grad[0, 5]) == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6)


def test_a_flat_discriminator_has_a_finite_penalty_and_gradient() -> None:
    discriminator = nn.Linear(4, 1)
    nn.init.zeros_(discriminator.weight)
    penalty = gradient_penalty(discriminator, torch.rand(2, 4), torch.rand(2, 4))
    penalty.backward()
    assert penalty.item() == 1
    assert discriminator.weight.grad is not None
    assert torch.isfinite(discriminator.weight.grad).all()


def test_images_of_two_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        gradient_penalty(lambda x: x, torch.rand(2, 4), torch.rand(3, 4))
