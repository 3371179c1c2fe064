"""Losses between pixels against their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from restore.plugins.common.losses import L1, MSE, Charbonnier, PixelLoss, TotalVariation, total_variation


def pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 2, 3, 5, 4, generator=generator, dtype=torch.float64)
    return a, b


def mean_of(values: list[float]) -> float:
    return math.fsum(values) / len(values)


@pytest.mark.parametrize(
    ("loss", "of_an_error"),
    [
        (L1(), abs),
        (MSE(), lambda error: error**2),
        (Charbonnier(epsilon=0.05), lambda error: math.sqrt(error**2 + 0.05**2)),
    ],
)
def test_a_pixel_loss_is_the_mean_of_its_formula(loss: PixelLoss, of_an_error: object) -> None:
    assert callable(of_an_error)
    prediction, target = pair()
    expected = mean_of([of_an_error(float(error)) for error in (prediction - target).flatten()])
    (term,) = loss(prediction, {"target": target}).values()
    assert float(term) == pytest.approx(expected, rel=1e-12)
    assert torch.autograd.gradcheck(lambda x: loss.distance(x, target), prediction.requires_grad_())


def test_a_term_has_the_losses_name_and_weight() -> None:
    prediction, target = pair()
    for loss in (L1, MSE, Charbonnier):
        (single,) = loss()(prediction, {"target": target}).values()
        ((name, weighted),) = loss(weight=3.0)(prediction, {"target": target}).items()
        assert name == loss.name
        assert float(weighted) == pytest.approx(3 * float(single))


def test_another_image_of_the_batch_may_be_the_target() -> None:
    prediction, target = pair()
    batch = {"target": prediction, "sharp": target}
    assert float(L1()(prediction, batch)["l1"]) == 0
    assert float(L1(target="sharp")(prediction, batch)["l1"]) > 0


def test_charbonnier_has_a_gradient_where_images_are_equal() -> None:
    same = torch.ones(1, 3, 2, 2, requires_grad=True)
    loss = Charbonnier()(same, {"target": torch.ones(1, 3, 2, 2)})["charbonnier"]
    loss.backward()
    assert loss.item() == pytest.approx(1e-3)
    assert same.grad is not None
    assert torch.equal(same.grad, torch.zeros_like(same))


def test_charbonnier_survives_half_precision() -> None:
    # The square of epsilon is below the smallest number that half precision tells from zero.
    same = torch.ones(1, 3, 2, 2, dtype=torch.float16, requires_grad=True)
    Charbonnier(epsilon=1e-4).distance(same, same.detach()).backward()
    assert same.grad is not None
    assert torch.isfinite(same.grad).all()


def test_an_epsilon_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="epsilon"):
        Charbonnier(epsilon=0)


def test_total_variation_of_known_images() -> None:
    steps = torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 3.0]])[None, None]
    down = mean_of([0, 0, 2])
    right = mean_of([1, 0, 1, 2])
    assert float(total_variation(steps)) == pytest.approx(down + right)
    assert float(total_variation(torch.full((2, 3, 8, 8), 0.7))) == 0
    assert float(TotalVariation(weight=0.5)(steps, {})["total_variation"]) == pytest.approx((down + right) / 2)


@pytest.mark.parametrize("shape", [(1, 3, 1, 4), (1, 3, 4, 1), (1, 3, 1, 1)])
def test_total_variation_of_a_line_or_a_point_is_a_number(shape: tuple[int, ...]) -> None:
    image = torch.arange(math.prod(shape), dtype=torch.float32).view(shape)
    expected = 1.0 if max(shape[-2:]) > 1 else 0.0
    assert float(total_variation(image)) == expected
