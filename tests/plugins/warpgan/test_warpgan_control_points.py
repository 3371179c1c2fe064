"""Penalties of control points are zero where nothing is wrong, and lead back where something is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from restore.plugins.warpgan.control_points import determinants, folds, measure_outside, statistics
from restore.plugins.warpgan.networks.warping import warp

SIZE = (40, 60)


def inside(count: int = 9) -> Tensor:
    """A grid of points in the image."""
    lines = torch.linspace(0.2, 0.8, 3, dtype=torch.float64)
    rows, columns = torch.meshgrid(39 * lines, 59 * lines, indexing="ij")
    return torch.stack([rows, columns], -1).flatten(0, 1)[None, :count]


def crossed() -> tuple[Tensor, Tensor]:
    """Two points that change places."""
    points = inside()
    moves = torch.zeros_like(points)
    moves[0, 3], moves[0, 5] = points[0, 5] - points[0, 3], points[0, 3] - points[0, 5]
    return points, moves


def test_points_in_the_image_cost_nothing_up_to_its_last_pixel() -> None:
    assert measure_outside(inside(), *SIZE).tolist() == [0]
    assert measure_outside(torch.tensor([[[0.0, 0.0], [39.0, 59.0]]]), *SIZE).tolist() == [0]


def test_points_outside_cost_the_square_of_their_distance_in_sides() -> None:
    points = torch.tensor([[[-4.0, 5.0], [10.0, 59.0 + 6.0]], [[1.0, 2.0], [3.0, 4.0]]])
    torch.testing.assert_close(measure_outside(points, *SIZE), torch.tensor([(0.1**2 + 0.1**2) / 2, 0.0]))


def test_a_warp_that_folds_nothing_costs_nothing() -> None:
    points = inside()
    assert folds(points, torch.zeros_like(points), *SIZE).tolist() == [0]
    assert folds(points, torch.full_like(points, 25.0), *SIZE).tolist() == [0]
    gently = 0.5 * torch.sin(points)
    assert folds(points, gently, *SIZE).tolist() == [0]
    torch.testing.assert_close(
        determinants(points, torch.zeros_like(points), *SIZE), torch.ones(1, 16 * 16 + 9, dtype=torch.float64)
    )


def test_the_determinant_is_the_magnification_of_area() -> None:
    points = inside()
    middle = torch.tensor([19.5, 29.5], dtype=torch.float64)
    grown = determinants(points, points - middle, *SIZE)  # twice as large: each pixel comes from a quarter of its area
    torch.testing.assert_close(grown, torch.full_like(grown, 0.25), atol=1e-4, rtol=0)
    mirrored = determinants(points, (middle - points) * torch.tensor([0.0, 2.0]), *SIZE)
    torch.testing.assert_close(mirrored, torch.full_like(mirrored, -1.0), atol=1e-4, rtol=0)


def test_the_determinant_is_that_of_the_flow() -> None:
    points, moves = crossed()
    flow = warp(torch.zeros(1, 1, *SIZE, dtype=torch.float64), points, moves).flow
    down, across = torch.gradient(flow, dim=(2, 3))
    whole = (1 - down[:, 0]) * (1 - across[:, 1]) - down[:, 1] * across[:, 0]
    folded = (whole < 0).double().mean()
    assert abs(statistics(points, moves, *SIZE)["folded"] - folded) < 0.05
    assert folded > 0.02


def test_a_folded_warp_costs_and_more_so_by_a_margin() -> None:
    assert folds(*crossed(), *SIZE) > 0.01
    assert folds(*crossed(), *SIZE, margin=0.5) > folds(*crossed(), *SIZE)


def overtaken() -> tuple[Tensor, Tensor]:
    """A point that is moved beyond its neighbor."""
    points = inside()
    moves = torch.zeros_like(points)
    moves[0, 4, 1] = 28
    return points, moves


def followed(cost: Callable[[Tensor], Tensor], start: Tensor) -> tuple[float, float]:
    """A cost before and after its gradient was followed."""
    given = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([given], lr=0.3)
    costs = []
    for _ in range(60):
        optimizer.zero_grad()
        costs.append(cost(given).sum())
        costs[-1].backward()
        optimizer.step()
    return costs[0].item(), costs[-1].item()


def test_following_the_gradient_unfolds() -> None:
    points, moves = overtaken()
    before, after = followed(lambda moves: folds(points, moves, *SIZE), moves)
    assert before > 0.005
    assert after < 0.5 * before


def test_following_the_gradient_leads_back_into_the_image() -> None:
    before, after = followed(lambda points: measure_outside(points, *SIZE), inside() - 12)
    assert before > 0.003
    assert after < 0.1 * before


def test_gradients_are_those_of_finite_differences() -> None:
    points, moves = (tensor.requires_grad_() for tensor in crossed())
    assert torch.autograd.gradcheck(lambda p, m: folds(p, m, *SIZE), (points, moves))
    assert torch.autograd.gradcheck(lambda p: measure_outside(p - 12, *SIZE), (points,))


def test_penalties_are_of_the_precision_of_the_points() -> None:
    points, moves = (tensor.float() for tensor in crossed())
    assert folds(points, moves, *SIZE).dtype == torch.float32
    torch.testing.assert_close(folds(points, moves, *SIZE).double(), folds(*crossed(), *SIZE), atol=1e-4, rtol=1e-3)


def test_torn_images_do_not_drown_everything() -> None:
    points, moves = crossed()
    points[0, 0], moves[0, 0], moves[0, 1] = points[0, 1] + 1e-3, 5.0, -5.0
    points[0, 0] = points[0, 1] + moves[0, 1] + 1e-3 - moves[0, 0]  # they arrive side by side
    assert folds(points, moves, *SIZE) < 50


def test_statistics_say_what_a_warp_does() -> None:
    points, moves = torch.tensor([[[10.0, 30.0], [10.0, -30.0]]]), torch.tensor([[[4.0, 0.0], [0.0, 0.0]]])
    found = statistics(points, moves, *SIZE)
    assert found["displacement"].item() == pytest.approx(0.05)
    assert found["largest"].item() == pytest.approx(0.1)
    assert found["outside"].item() == 0.5
    assert found["spread"].item() == pytest.approx(0.5)
    assert found["folded"].item() == 0
    assert not any(numbers.requires_grad for numbers in statistics(points.requires_grad_(), moves, *SIZE).values())
