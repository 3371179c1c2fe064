"""Contextual attention pastes known patches, whatever the batch, the size and the memory."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from restore.plugins.inpaint_gan import attention
from restore.plugins.inpaint_gan.attention import Attention, diagonal_sum


def hole(height: int, width: int, top: int, left: int, rows: int, columns: int) -> Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., top : top + rows, left : left + columns] = 1
    return mask


def by_patches(features: Tensor, mask: Tensor, scale: float = 10.0) -> Tensor:
    """What the paper says, with rate 2 and without fusing: each patch compared and pasted as a whole, one by one."""
    height, width = features.shape[-2:]
    grid = features[..., ::2, ::2]
    compared = F.unfold(grid, 3, padding=1)  # (1, 9 C, N)
    likeness = compared[0].T @ (compared[0] / compared[0].norm(dim=0))
    shares = F.unfold(F.max_pool2d(mask, mask.shape[-1] // grid.shape[-1]), 3, padding=1)[0].sum(dim=0)
    weights = (scale * likeness).masked_fill(shares > 0, -torch.inf).softmax(dim=1)
    inside = F.unfold(torch.cat([features, torch.ones_like(features[:, :1])], dim=1), 4, padding=1, stride=2)
    pasted = F.fold((inside[0] @ weights.T)[None], (height, width), 4, padding=1, stride=2)
    return pasted[:, :-1] / pasted[:, -1:]


def test_it_equals_its_reference(golden: ModuleType) -> None:
    golden.load("dfv1_attention").check(Attention(published=True))
    golden.load("dfv1_attention").check(Attention(published=True), precision="fp32")


def test_sums_along_diagonals_compare_and_paste_whole_patches() -> None:
    torch.manual_seed(0)
    features, mask = torch.randn(1, 5, 12, 16, dtype=torch.float64), hole(48, 64, 16, 8, 10, 20).double()
    torch.testing.assert_close(Attention(fuse=False)(features, mask), by_patches(features, mask))


@settings(max_examples=20, deadline=None)
@given(
    size=st.tuples(st.integers(1, 14), st.integers(1, 14)),
    rate=st.integers(1, 4),
    shape=st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 30), st.integers(0, 30)),
    color=st.floats(-3, 3),
)
def test_a_flat_surface_is_continued_exactly(
    size: tuple[int, int], rate: int, shape: tuple[int, int, int, int], color: float
) -> None:
    height, width = size
    features = torch.full((1, 2, height, width), color, dtype=torch.float64)
    drawn = Attention(rate=rate)(features, hole(4 * height, 4 * width, *shape))
    torch.testing.assert_close(drawn, features)


@settings(max_examples=20, deadline=None)
@given(
    size=st.tuples(st.integers(3, 12), st.integers(3, 12)),
    rate=st.integers(1, 3),
    seed=st.integers(0, 1000),
    fuse=st.booleans(),
)
def test_a_batch_is_drawn_as_each_of_its_samples_alone(size: tuple[int, int], rate: int, seed: int, fuse: bool) -> None:
    random = torch.Generator().manual_seed(seed)
    features = torch.randn(3, 2, *size, dtype=torch.float64, generator=random)
    holes = (torch.rand(3, 1, 4 * size[0], 4 * size[1], generator=random) > 0.98).double()
    drawn = Attention(rate=rate, fuse=fuse)(features, holes)
    for sample in range(3):
        alone = Attention(rate=rate, fuse=fuse)(features[sample : sample + 1], holes[sample : sample + 1])
        torch.testing.assert_close(drawn[sample : sample + 1], alone)


def test_a_pattern_is_continued_through_the_hole() -> None:
    rows, columns = torch.meshgrid(torch.arange(48), torch.arange(48), indexing="ij")
    pattern = torch.stack([(rows % 8 < 4) ^ (columns % 12 < 6), columns % 12 < 3, rows % 8 < 2]).double()[None]
    mask = hole(192, 192, 72, 64, 16, 24)
    coarse = pattern.clone()
    at_features = F.max_pool2d(mask, 4).bool().expand_as(coarse)
    coarse[at_features] = (0.7 * pattern + 0.15)[at_features]  # blurred, as a coarse stage leaves it
    drawn = Attention(softmax_scale=50.0)(coarse, mask)
    before = (coarse - pattern)[at_features].abs().mean()
    assert (drawn - pattern)[at_features].abs().mean() < 0.05 * before


@pytest.mark.parametrize("rate", [1, 2, 3])
def test_what_touches_the_hole_is_never_pasted(rate: int) -> None:
    torch.manual_seed(0)
    mask = hole(96, 96, 31, 41, 22, 13)
    touched = F.max_pool2d(mask, 4).bool()
    features = torch.rand(1, 1, 24, 24, dtype=torch.float64)
    features[touched] += 1000
    assert Attention(rate=rate)(features, mask).max() <= 1


def test_the_smallest_hole_counts() -> None:
    features = torch.rand(1, 1, 16, 16)
    features[..., 9, 7] = 1000
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 39, 31] = 1
    assert Attention()(features, mask).max() <= 1


def test_where_every_patch_touches_a_hole_the_least_touching_ones_stand_in() -> None:
    mask = torch.ones(1, 1, 64, 64)
    mask[..., :16, :16] = 0
    mask[..., 8, 8] = 1
    features = torch.full((1, 1, 16, 16), 1000.0)
    features[..., :4, :4] = 0.5
    drawn = Attention()(features, mask)
    assert drawn.isfinite().all()
    assert drawn.min() < 1
    assert Attention()(features, torch.ones(1, 1, 64, 64)).isfinite().all()


@pytest.mark.parametrize("size", [(24, 20), (23, 17)])
def test_blocks_change_neither_the_result_nor_the_gradient(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    mask = torch.cat([hole(96, 80, 20, 20, 30, 20), hole(96, 80, 0, 40, 20, 40)])

    def drawn_and_gradient() -> tuple[Tensor, Tensor]:
        drawn = Attention()(features, mask)
        (gradient,) = torch.autograd.grad(drawn.square().sum(), features)
        return drawn, gradient

    whole = drawn_and_gradient()
    largest = 0
    original = torch.bmm

    def recorded(one: Tensor, other: Tensor) -> Tensor:
        nonlocal largest
        product = original(one, other)
        largest = max(largest, product.numel())
        return product

    rows, columns = -(-size[0] // 2), -(-size[1] // 2)
    limit = 9 * columns * rows * columns
    monkeypatch.setattr(attention, "BLOCK", limit)
    monkeypatch.setattr(torch, "bmm", recorded)
    for one, other in zip(whole, drawn_and_gradient(), strict=True):
        torch.testing.assert_close(one, other)
    assert 0 < largest <= limit


def test_its_gradient_is_right() -> None:
    torch.manual_seed(0)
    features = torch.randn(1, 2, 6, 8, dtype=torch.float64, requires_grad=True)
    mask = hole(24, 32, 0, 0, 7, 9)
    assert torch.autograd.gradcheck(lambda x: Attention(softmax_scale=0.5)(x, mask), features)


@pytest.mark.parametrize("axis", [1, 2])
def test_diagonal_sums_are_convolutions_with_diagonals(axis: int) -> None:
    pairs = torch.randn(2, 4, 1, 5, 1, dtype=torch.float64, requires_grad=True)
    moved = pairs if axis == 1 else pairs.transpose(1, 2).transpose(3, 4)
    summed = diagonal_sum(moved, axis, (-1, 0, 2)).reshape(2, 1, 4, 5)
    kernel = torch.zeros(1, 1, 5, 5, dtype=torch.float64)
    kernel[..., [1, 2, 4], [1, 2, 4]] = 1
    torch.testing.assert_close(summed, F.conv2d(pairs.reshape(2, 1, 4, 5), kernel, padding=2))
    assert torch.autograd.gradcheck(lambda x: diagonal_sum(x, 1, (-1, 0, 2)), pairs)


def test_scores_are_compared_at_full_precision_under_autocast() -> None:
    features, mask = torch.randn(1, 4, 12, 12), hole(48, 48, 8, 8, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        drawn = Attention()(features, mask)
    assert torch.equal(drawn, Attention()(features, mask))
