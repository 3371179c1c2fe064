"""Attention maps, their bounds and their start."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from restore.plugins.lbam.attention import AsymmetricGaussian, MapConvolution, clamp_softly, update_mask
from restore.plugins.lbam.init import averaging

FORWARD = (1.1, 2.0, 1.0, 1.0)


def by_definition(x: float, a: float, mu: float, sigma1: float, sigma2: float) -> float:
    a, mu = min(max(a, 1.01), 6), min(max(mu, 0.1), 3)
    sigma1, sigma2 = min(max(sigma1, 0.5), 2), min(max(sigma2, 0.5), 2)
    if x < mu:
        return a * math.exp(-sigma1 * (x - mu) ** 2)
    return 1 + (a - 1) * math.exp(-sigma2 * (x - mu) ** 2)


@settings(deadline=None)
@given(
    st.floats(-8, 8),
    st.floats(0, 8),
    st.floats(-1, 4),
    st.floats(0, 3),
    st.floats(0, 3),
)
def test_attention_is_the_paper_s_function_within_its_bounds(
    x: float, a: float, mu: float, sigma1: float, sigma2: float
) -> None:
    gaussian = AsymmetricGaussian(a, mu, sigma1, sigma2).double()
    # float32 is what the numbers are kept in
    numbers = [float(number.detach()) for number in gaussian.parameters()]
    found = float(gaussian(torch.tensor(x, dtype=torch.float64)).detach())
    assert found == pytest.approx(by_definition(x, *numbers), rel=1e-9, abs=1e-12)


def test_the_gradient_of_attention_is_its_slope() -> None:
    gaussian = AsymmetricGaussian(*FORWARD).double()
    x = torch.tensor([-1.0, 0.3, 1.7, 2.4, 5.0], dtype=torch.float64, requires_grad=True)
    names = ("peak", "center", "rise", "fall")

    def attention(x: Tensor, *numbers: Tensor) -> Tensor:
        answer: Tensor = torch.func.functional_call(gaussian, dict(zip(names, numbers, strict=True)), (x,))
        return answer

    # inside the bounds, where numerical differences see what the gradient says
    numbers = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (1.4, 2.0, 1.2, 0.9)]
    assert torch.autograd.gradcheck(attention, (x, *numbers))


@pytest.mark.parametrize("start", [0.9, 1.01, 3.0, 6.0, 7.5])
@pytest.mark.parametrize("direction", [-1.0, 1.0])
def test_a_bounded_number_goes_no_further_out_and_finds_back(start: float, direction: float) -> None:
    value = nn.Parameter(torch.tensor(start))
    clamped = clamp_softly(value, 1.01, 6.0)
    assert float(clamped.detach()) == pytest.approx(min(max(start, 1.01), 6.0))
    (direction * clamped).backward()
    assert value.grad is not None
    step = -float(value.grad)
    outward = (start <= 1.01 and step < 0) or (start >= 6.0 and step > 0)
    assert not outward
    held = (start <= 1.01 and direction > 0) or (start >= 6.0 and direction < 0)
    assert step == (0 if held else -direction)


def test_bounds_leave_the_parameters_themselves_alone() -> None:
    gaussian = AsymmetricGaussian(9.0, 2.0, 1.0, 1.0)
    gaussian(torch.rand(3)).sum().backward()
    assert float(gaussian.peak.detach()) == 9.0


def test_a_mask_without_a_mark_has_a_finite_gradient() -> None:
    x = torch.tensor([-1.0, 0.0, 1e-30, 1.0], requires_grad=True)
    update_mask(x).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert x.grad[:2].eq(0).all()
    assert float(x.grad[3]) == pytest.approx(0.8)


@pytest.mark.parametrize(("numbers", "unmarked"), [(FORWARD, 0.1), ((1.1, 1.0, 0.5, 0.5), 0.7)])
def test_attention_starts_where_the_mask_is_marked(numbers: tuple[float, ...], unmarked: float) -> None:
    torch.manual_seed(0)
    mask, before = torch.ones(1, 3, 128, 128), 3
    for level, after in enumerate((8, 16, 32, 64, 64)):
        maps = MapConvolution(before, after, AsymmetricGaussian(*numbers))
        maps.start_averaging(level, averaging(level))
        nothing, _ = maps(torch.zeros_like(mask))
        attention, mask = maps(mask)
        assert float(attention.detach()[..., 1:-1, 1:-1].mean()) == pytest.approx(1, abs=0.15)
        assert float(nothing.detach().max()) < unmarked
        before = after
