"""Losses that know where the hole is, against their formulas and recorded references."""

from __future__ import annotations

from itertools import product
from types import ModuleType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from restore.plugins.common.inpainting.losses import (
    DiscountedL1,
    MaskedL1,
    MaskedLoss,
    MaskedMSE,
    MaskedTotalVariation,
    compose,
    discounts,
    masked_total_variation,
    steps_to_known,
)
from restore.plugins.common.losses import TotalVariation, total_variation


def example() -> tuple[Tensor, dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 2, 3, 6, 5, generator=generator, dtype=torch.float64)
    mask = torch.zeros(2, 1, 6, 5, dtype=torch.float64)
    mask[0, :, 1:4, 2:4] = 1
    mask[1, :, :2] = 1
    return prediction, {"target": target, "mask": mask}


def test_recorded_pixel_terms(golden: ModuleType) -> None:
    def both(prediction: Tensor, target: Tensor, known: Tensor) -> tuple[Tensor, ...]:
        return tuple(MaskedL1()(prediction, {"target": target, "mask": 1 - known[:, :1]}).values())

    golden.load("lbam_pixel_terms").check(both)


@pytest.mark.parametrize(("loss", "power"), [(MaskedL1(2.0, 3.0), 1), (MaskedMSE(2.0, 3.0), 2)])
def test_hole_and_known_part_are_means_over_the_full_image(loss: MaskedLoss, power: int) -> None:
    prediction, batch = example()
    terms = loss(prediction, batch)
    sums = [0.0, 0.0]
    for b, c, y, x in product(range(2), range(3), range(6), range(5)):
        inside = bool(batch["mask"][b, 0, y, x])
        sums[inside] += abs(float(prediction[b, c, y, x] - batch["target"][b, c, y, x])) ** power
    assert float(terms[f"{loss.name}_hole"]) == pytest.approx(2 * sums[1] / prediction.numel())
    assert float(terms[f"{loss.name}_known"]) == pytest.approx(3 * sums[0] / prediction.numel())


def test_a_weight_of_zero_leaves_its_term_out() -> None:
    prediction, batch = example()
    assert set(MaskedL1(known=0)(prediction, batch)) == {"l1_hole"}
    assert set(MaskedMSE(hole=0)(prediction, batch)) == {"mse_known"}


def brute_steps(mask: Tensor) -> Tensor:
    height, width = mask.shape
    known = [(y, x) for y in range(height) for x in range(width) if not mask[y, x]]
    steps = torch.full((height, width), float(height + width))
    for y, x in product(range(height), range(width)):
        for v, u in known:
            steps[y, x] = min(float(steps[y, x]), abs(y - v) + abs(x - u))
    return steps


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**31), st.floats(0.1, 1.0))
def test_steps_to_known_are_the_fewest(height: int, width: int, seed: int, coverage: float) -> None:
    mask = (torch.rand(height, width, generator=torch.Generator().manual_seed(seed)) < coverage).float()
    assert torch.equal(steps_to_known(mask[None, None])[0, 0], brute_steps(mask))


def test_discounts_are_the_same_from_every_side_where_the_reference_is_not(golden: ModuleType) -> None:
    fixture = golden.load("dfv1_discount_mask")
    theirs = torch.from_numpy(fixture.recorded["eval.fp32.mask"])[0, 0]  # every pixel of it is in the hole
    mask = torch.zeros(1, 1, 34, 50)
    mask[..., 1:-1, 1:-1] = 1
    ours = discounts(mask, 0.9)[0, 0, 1:-1, 1:-1]
    assert torch.allclose(ours, ours.flip(0))
    assert torch.allclose(ours, ours.flip(1))
    assert not torch.allclose(theirs, theirs.flip(1))
    assert torch.allclose(ours[16:, 24:], theirs[16:, 24:], rtol=1e-4)  # counted from below and from the right: equal
    assert torch.allclose(ours[:16, :24], 0.9 * theirs[:16, :24], rtol=1e-4)  # from above and left it starts with 0


def test_discounted_error_fades_into_the_hole_and_ignores_what_is_known() -> None:
    target = torch.zeros(1, 3, 9, 9)
    mask = torch.zeros(1, 1, 9, 9)
    mask[..., 2:7, 2:7] = 1
    batch = {"target": target, "mask": mask}

    def of_one_error(y: int, x: int) -> float:
        prediction = target.clone()
        prediction[0, :, y, x] = 1
        return float(DiscountedL1(discount=0.5)(prediction, batch)["l1_discounted"]) * 81

    assert [of_one_error(4, x) for x in range(9)] == pytest.approx([0, 0, 0.5, 0.25, 0.125, 0.25, 0.5, 0, 0])
    with pytest.raises(ValueError, match="discount"):
        DiscountedL1(discount=0)


def test_variation_of_an_image_that_is_all_hole_is_total_variation(golden: ModuleType) -> None:
    golden.load("lbam_tv").check(lambda x: masked_total_variation(x, torch.ones_like(x[:, :1])))
    golden.load("lbam_tv").check(lambda x: TotalVariation()(x, {})["total_variation"])


def test_variation_sees_the_hole_and_its_seam_alone() -> None:
    prediction, batch = example()
    other = torch.where(batch["mask"] > 0, prediction, torch.rand_like(prediction))
    loss = MaskedTotalVariation(0.5)
    assert torch.equal(loss(prediction, batch)["total_variation"], loss(other, batch)["total_variation"])
    flat, far = torch.zeros(1, 1, 1, 6), torch.tensor([[[[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]]])
    mask = torch.tensor([[[[0.0, 0.0, 0.0, 1.0, 1.0, 0.0]]]])
    assert float(masked_total_variation(flat + far, mask)) == 0  # a step between two known pixels
    seam = torch.tensor([[[[0.0, 0.0, 0.0, 1.0, 1.0, 0.0]]]])
    assert float(masked_total_variation(seam, mask)) == pytest.approx(2 / 5)
    assert float(masked_total_variation(seam, torch.ones_like(mask))) == pytest.approx(float(total_variation(seam)))


def test_composed_takes_known_pixels_from_the_target() -> None:
    prediction, batch = example()
    seen = compose(prediction, batch)
    inside = batch["mask"].expand_as(seen) > 0
    assert torch.equal(seen[inside], prediction[inside])
    assert torch.equal(seen[~inside], batch["target"][~inside])
