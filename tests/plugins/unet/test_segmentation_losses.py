"""The losses equal their references and behave at the edges."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from restore.plugins.common.masks.survey import IGNORED
from restore.plugins.unet import losses

ALL = [
    losses.bce,
    losses.dice,
    losses.bce_dice,
    losses.lovasz_hinge,
    losses.lovasz_softmax,
    losses.focal,
]
FOR_NUMBERS = [*ALL, losses.cross_entropy, losses.cross_entropy_dice]


def total(loss: losses.Loss, logits: Tensor | list[Tensor], target: Tensor) -> Tensor:
    return torch.stack(list(loss(logits, {"target": target}).values())).sum()


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_bce_dice_equals_its_reference(golden: ModuleType) -> None:
    golden.load("seg_bce_dice").check(lambda logits, target: total(losses.bce_dice(), logits, target))


def test_lovasz_hinge_equals_its_reference(golden: ModuleType) -> None:
    fixture = golden.load("seg_lovasz_hinge")
    fixture.check(losses.lovasz_hinge_loss, precision="fp32")
    exact = losses.lovasz_hinge_loss(*fixture.inputs()).item()
    assert exact == pytest.approx(float(fixture.recorded["eval.fp32.loss"]), rel=1e-5)


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_a_perfect_answer_costs_next_to_nothing_and_its_opposite_much(make: object) -> None:
    maps = (torch.rand(2, 3, 12, 12, generator=rng()) > 0.5).float()
    loss = make()  # type: ignore[operator]
    right, wrong = total(loss, 40 * maps - 20, maps), total(loss, 20 - 40 * maps, maps)
    assert 0 <= right < 1e-5
    assert wrong > 0.9


@pytest.mark.parametrize("make", FOR_NUMBERS, ids=lambda make: make.__name__)
def test_every_loss_takes_class_numbers(make: object) -> None:
    numbers = torch.randint(0, 3, (2, 1, 12, 12), generator=rng())
    maps = F.one_hot(numbers[:, 0], 3).movedim(-1, 1).float()
    loss = make()  # type: ignore[operator]
    assert total(loss, 40 * maps - 20, numbers) < 1e-5 < total(loss, 20 - 40 * maps, numbers)


@pytest.mark.parametrize("make", FOR_NUMBERS, ids=lambda make: make.__name__)
def test_ignored_pixels_change_nothing(make: object) -> None:
    numbers = torch.randint(0, 3, (2, 1, 12, 12), generator=rng())
    numbers[:, :, 4:9] = IGNORED
    logits = torch.randn(2, 3, 12, 12, generator=rng(1))
    other = logits.clone()
    other[:, :, 4:9] = torch.randn(2, 3, 5, 12, generator=rng(2))
    loss = make()  # type: ignore[operator]
    assert total(loss, logits, numbers) == pytest.approx(total(loss, other, numbers).item(), rel=1e-6)


@pytest.mark.parametrize("make", FOR_NUMBERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("fill", [0, IGNORED])
def test_gradients_are_finite_where_there_is_nothing_to_find(make: object, fill: int) -> None:
    logits = torch.randn(2, 3, 8, 8, generator=rng(), requires_grad=True)
    total(make(), logits, torch.full((2, 1, 8, 8), fill)).backward()  # type: ignore[operator]
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_cross_entropy_is_the_usual_one() -> None:
    logits = torch.randn(2, 4, 9, 9, generator=rng(), dtype=torch.float64)
    numbers = torch.randint(0, 4, (2, 1, 9, 9), generator=rng(1))
    numbers[0, 0, 0, :5] = IGNORED
    expected = F.cross_entropy(logits, numbers[:, 0], ignore_index=IGNORED)
    assert torch.allclose(losses.cross_entropy_loss(logits, numbers), expected)


def test_focal_without_focus_is_half_the_cross_entropy() -> None:
    logits = torch.randn(2, 1, 9, 9, generator=rng(), dtype=torch.float64)
    maps = (torch.rand(2, 1, 9, 9, generator=rng(1)) > 0.5).double()
    half = losses.focal_loss(logits, maps, focus=0, balance=0.5)
    assert torch.allclose(2 * half, losses.binary_cross_entropy_loss(logits, maps))


def test_cross_entropy_refuses_overlapping_classes() -> None:
    with pytest.raises(ValueError, match="class numbers"):
        losses.cross_entropy_loss(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4))


def test_the_jaccard_gradient_adds_up_to_the_jaccard_loss() -> None:
    maps = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0])
    gradient = losses.jaccard_gradient(maps)
    # The first three pixels wrong: two of the class missed, one found too many.
    assert gradient[:3].sum().item() == pytest.approx(1 - 0 / 3)
    assert gradient[:1].sum().item() == pytest.approx(1 - 1 / 2)
    assert gradient.sum().item() == pytest.approx(1)


def test_lovasz_at_hard_answers_is_one_minus_iou() -> None:
    maps = (torch.rand(1, 1, 10, 10, generator=rng()) > 0.6).double()
    found = (torch.rand(1, 1, 10, 10, generator=rng(1)) > 0.6).double()
    iou = (maps * found).sum() / (maps + found).clamp(max=1).sum()
    assert torch.allclose(losses.lovasz_softmax_loss(200 * found - 100, maps), 1 - iou)


def test_deep_supervision_averages_the_heads() -> None:
    heads = [torch.randn(2, 1, 8, 8, generator=rng(seed)) for seed in range(4)]
    maps = (torch.rand(2, 1, 8, 8, generator=rng(9)) > 0.5).float()
    averaged = losses.EveryHead(losses.bce_dice())(heads, {"target": maps})
    each = [losses.bce_dice()(head, {"target": maps}) for head in heads]
    for name in ("bce", "dice"):
        assert averaged[name].item() == pytest.approx(float(np.mean([terms[name].item() for terms in each])))


def test_half_precision_logits_are_summed_in_full() -> None:
    logits = torch.randn(1, 1, 64, 64, generator=rng()).bfloat16()
    maps = (torch.rand(1, 1, 64, 64, generator=rng(1)) > 0.5).float()
    assert losses.dice_loss(logits, maps).dtype == torch.float32
    assert losses.dice_loss(logits, maps) == losses.dice_loss(logits.float(), maps)
