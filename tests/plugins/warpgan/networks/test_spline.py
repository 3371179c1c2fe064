"""The spline and the warp: equal to their references, differentiable, and calm where there is no right answer."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RBFInterpolator
from torch import Tensor

from restore.plugins.warpgan import ThinPlateSpline, fit_thin_plate_spline, warp
from restore.plugins.warpgan.networks import spline
from restore.plugins.warpgan.networks.warping import displacement_spline, outline, sample_at, sample_backwards


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def scattered(seed: int, samples: int = 2, points: int = 16, size: float = 64) -> tuple[Tensor, Tensor]:
    """Points around the middle of an image, and displacements."""
    return size / 2 + size / 5 * drawn(seed, samples, points, 2), size / 30 * drawn(seed + 1, samples, points, 2)


def test_a_warp_equals_its_reference(golden: ModuleType) -> None:
    golden.load("warpgan_tps").check(warp)


def test_a_warp_in_float32_is_within_a_hundredth_of_a_pixel_of_its_reference(golden: ModuleType) -> None:
    fixture = golden.load("warpgan_tps")
    flow = warp(*fixture.inputs(torch.float32)).flow
    assert flow.dtype == torch.float32
    assert np.abs(flow.numpy() - fixture.recorded["eval.fp64.flow"]).max() < 0.01


@pytest.mark.parametrize("regularizer", [0.0, 10.0])
@pytest.mark.parametrize("unit", [None, 100.0])
def test_a_surface_equals_that_of_scipy(regularizer: float, unit: float | None) -> None:
    places, values, queries = 50 * drawn(1, 2, 16, 2), 9 * drawn(2, 2, 16, 3), 80 * drawn(3, 2, 50, 2)
    surface = fit_thin_plate_spline(places, values, regularizer, unit).values(queries)
    for b in range(2):
        given = RBFInterpolator(places[b], values[b], kernel="thin_plate_spline", smoothing=regularizer, degree=1)
        assert np.abs(surface[b].numpy() - given(queries[b].numpy())).max() < 1e-8


def test_gradients_are_those_of_finite_differences() -> None:
    image = drawn(1, 2, 2, 9, 7).requires_grad_()
    points, moves = (tensor.requires_grad_() for tensor in scattered(2, points=5, size=8))
    assert torch.autograd.gradcheck(lambda *given: tuple(warp(*given)), (image, points, moves))


def test_slopes_are_those_of_finite_differences() -> None:
    surface = fit_thin_plate_spline(50 * drawn(1, 2, 8, 2), drawn(2, 2, 8, 3))
    queries, step = 50 * drawn(3, 2, 20, 2), 1e-5
    for axis in range(2):
        away = step * torch.eye(2, dtype=torch.float64)[axis]
        difference = (surface.values(queries + away) - surface.values(queries - away)) / (2 * step)
        torch.testing.assert_close(surface.slopes(queries)[..., axis], difference, atol=1e-7, rtol=1e-6)


def test_the_surface_over_an_image_is_that_at_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    surface = fit_thin_plate_spline(8 + 5 * drawn(1, 3, 6, 2), drawn(2, 3, 6, 2))
    rows, columns = torch.meshgrid(torch.arange(13.0), torch.arange(17.0), indexing="ij")
    pixels = torch.stack([rows, columns], -1).flatten(0, 1).expand(3, -1, 2)
    wanted = surface.values(pixels).transpose(1, 2).unflatten(2, (13, 17))
    for most in (1, 6 * 17 * 5, 10**9):  # a row at once, some, everything
        monkeypatch.setattr(spline, "PART", most)
        torch.testing.assert_close(surface.evaluate(13, 17, wanted), wanted)


def test_gradients_do_not_depend_on_the_parts_that_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for most in (1, 16 * 32 * 5, 10**9):
        monkeypatch.setattr(spline, "PART", most)
        given = [tensor.requires_grad_() for tensor in scattered(3, samples=3, size=32)]
        flow = displacement_spline(*given, 32, 32).evaluate(32, 32, given[0])
        found.append(torch.autograd.grad((flow * drawn(4, *flow.shape)).sum(), given))
    for others in found[1:]:
        torch.testing.assert_close(others, found[0])


def test_memory_does_not_grow_with_pixels_times_points() -> None:
    sizes: list[int] = []
    points, moves = (tensor.requires_grad_() for tensor in scattered(1, samples=4, size=64))
    with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
        warp(torch.zeros(4, 1, 64, 64, dtype=torch.float64), points, moves)
    assert max(sizes) <= 2 * 4 * 64 * 64


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 20))
def test_float32_is_within_a_hundredth_of_a_pixel(seed: int, points: int) -> None:
    placed, moves = (tensor.float() for tensor in scattered(seed, points=points, size=256))
    surface = displacement_spline(placed, moves, 256, 256)
    exact = surface.evaluate(256, 256, torch.zeros((), dtype=torch.float64))[:, :, ::8, ::8]
    assert (surface.evaluate(256, 256, placed)[:, :, ::8, ::8] - exact).abs().max() < 0.01


def test_points_that_all_but_meet_are_worked_out_in_float64() -> None:
    placed, moves = scattered(1, samples=2, size=256)
    moves[1, 1] = moves[1, 0] + 3
    placed[1, 1] = placed[1, 0] - 3 + 0.05
    surface = displacement_spline(placed, moves, 256, 256)
    exact = surface.evaluate(64, 64, placed)
    assert surface.weights[1].abs().sum() > spline.STIFF
    torch.testing.assert_close(surface.evaluate(64, 64, placed.float()).double(), exact, atol=0.01, rtol=1e-6)


def test_everything_around_a_spline_may_be_of_half_precision() -> None:
    image, (points, moves) = drawn(1, 2, 3, 32, 32), scattered(2, size=32)
    exact = warp(image, points, moves).image
    with torch.autocast("cpu", torch.bfloat16):
        warped = warp(image.float(), points.float(), moves.float()).image
    assert warped.dtype == torch.float32
    torch.testing.assert_close(warped.double(), exact, atol=1e-3, rtol=0)
    assert warp(image.bfloat16(), points.bfloat16(), moves.bfloat16()).image.dtype == torch.float32


def test_without_displacement_nothing_moves() -> None:
    image, (points, _) = drawn(1, 2, 3, 20, 30), scattered(2, size=20)
    warped = warp(image, points, torch.zeros_like(points))
    assert not warped.flow.any()
    torch.testing.assert_close(warped.image, image)


def test_a_common_displacement_shifts_the_image_and_continues_its_border() -> None:
    image, (points, moves) = drawn(1, 1, 1, 12, 12), scattered(2, samples=1, size=12)
    moved = torch.tensor([2.0, -3.0], dtype=torch.float64)
    warped = warp(image, points, moved.expand_as(moves)).image
    torch.testing.assert_close(warped[..., 2:, :-3], image[..., :-2, 3:])
    torch.testing.assert_close(warped[..., :2, :-3], image[..., :1, 3:].expand(-1, -1, 2, -1))


def test_what_is_at_a_point_moves_by_its_displacement() -> None:
    image = torch.zeros(1, 1, 33, 33)
    image[..., 10, 20] = 1
    points = torch.tensor([[[10.0, 20.0], [0.0, 0.0], [0.0, 32.0], [32.0, 0.0], [32.0, 32.0]]])
    moves = torch.zeros(1, 5, 2)
    moves[0, 0] = torch.tensor([5.0, -4.0])
    warped = warp(image, points, moves).image
    assert warped[0, 0, 15, 16] > 0.99


def test_boundary_pins_corners_and_what_divides_the_sides() -> None:
    assert outline(5, 9, 1).tolist() == [[0, 0], [0, 8], [4, 0], [4, 8]]
    assert len(outline(5, 9, 2)) == 8
    assert [2, 4] not in outline(5, 9, 2).tolist()
    points, moves = scattered(2, size=24)
    flow = warp(torch.zeros(2, 1, 24, 32), points, moves, boundary=2).flow
    for row in (0, 23):
        for column in (0, 31):
            assert flow[:, :, row, column].abs().max() < 1e-3
    assert warp(torch.zeros(2, 1, 24, 32), points, moves).flow[:, :, 0, 0].abs().max() > 0.1


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_any_number_of_points(count: int) -> None:
    points, moves = scattered(1, points=count, size=32)
    surface = displacement_spline(points, moves, 32, 32)
    torch.testing.assert_close(surface.values(points + moves), moves, atol=1e-3, rtol=0)


def test_one_point_shifts_everything() -> None:
    flow = warp(torch.zeros(1, 1, 16, 16), torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[2.0, -1.0]]])).flow
    torch.testing.assert_close(flow, torch.tensor([2.0, -1.0])[None, :, None, None].expand(1, 2, 16, 16))


def calm(points: Tensor, moves: Tensor, regularizer: float) -> Tensor:
    """The flow over 32 x 32 pixels, whose gradients are finite."""
    for dtype in (torch.float64, torch.float32):
        given = [tensor.to(dtype).requires_grad_() for tensor in (points, moves)]
        flow = displacement_spline(*given, 32, 32, regularizer).evaluate(32, 32, given[0])
        for gradient in torch.autograd.grad(flow.square().sum(), given):
            assert gradient.isfinite().all()
        assert flow.isfinite().all()
    return flow.detach()


@pytest.mark.parametrize("regularizer", [0.0, 1e-6, 1.0])
def test_points_that_arrive_at_one_place_share_the_mean_of_their_displacements(regularizer: float) -> None:
    corners = torch.tensor([[0.0, 0.0], [0.0, 31.0], [31.0, 0.0], [31.0, 31.0]], dtype=torch.float64)
    arrived = torch.cat([corners, torch.tensor([[16.0, 16.0], [16.0, 16.0]], dtype=torch.float64)])[None]
    moves = torch.zeros(1, 6, 2, dtype=torch.float64)
    moves[0, 4], moves[0, 5] = 4.0, -2.0
    flow = calm(arrived - moves, moves, regularizer)
    assert flow.abs().max() < 2
    torch.testing.assert_close(flow[0, :, 16, 16], torch.ones(2), atol=0.05, rtol=0)


@pytest.mark.parametrize("apart", [0.0, 1e-6, 1e-3])
@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_points_all_but_on_one_line_give_a_surface_that_is_flat_across_it(apart: float, slope: float) -> None:
    line = torch.linspace(-12, 12, 6).double()
    arrived = torch.stack([16 + slope * line, 16 + line], -1)[None]
    moves = drawn(2, 1, 6, 2)
    flow = calm(arrived + apart * drawn(1, 1, 6, 2) - moves, moves, 1e-6)
    assert flow.abs().max() < 2 * moves.abs().max()
    exact = calm(arrived - moves, moves, 1e-6)
    torch.testing.assert_close(flow, exact, atol=1e-3 + 3 * apart, rtol=0)  # what moved by `apart` may move the surface
    if slope == 0:
        torch.testing.assert_close(exact[:, :, 16, 4:29:24], moves[:, [0, 5]].mT.float(), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("regularizer", "apart"), [(0.0, 0.0), (1e-6, 0.0), (1e-6, 1e-9)])
def test_all_points_in_one_place_shift_everything_by_their_mean(regularizer: float, apart: float) -> None:
    arrived = 16 + apart * drawn(1, 1, 6, 2)
    moves = (8 * drawn(2, 1, 6, 2)).round() / 8  # exact in float32 too
    flow = calm(arrived - moves, moves, regularizer)
    torch.testing.assert_close(flow, moves.float().mean(1)[:, :, None, None].expand_as(flow), atol=0.05, rtol=0)


def test_what_is_no_number_stays_none_and_ends_nothing() -> None:
    points, moves = scattered(1, size=16)
    points[0, 0, 0] = torch.nan
    for whole in (torch.zeros(2, 1, 16, 16), torch.zeros(2, 1, 16, 16, dtype=torch.float64)):
        flow = warp(whole, points, moves).flow
        assert flow[0].isnan().all()
        assert flow[1].isfinite().all()


def test_sampling_by_gathering_is_sampling() -> None:
    image, flow = drawn(1, 2, 3, 9, 11).requires_grad_(), (6 * drawn(2, 2, 2, 9, 11)).requires_grad_()
    rows, columns = torch.arange(9)[:, None] - flow[:, 0], torch.arange(11) - flow[:, 1]
    one, other = sample_backwards(image, flow), sample_at(image, rows, columns)
    torch.testing.assert_close(one, other)
    weight = drawn(3, *one.shape)
    wanted = torch.autograd.grad((one * weight).sum(), (image, flow))
    torch.testing.assert_close(torch.autograd.grad((other * weight).sum(), (image, flow)), wanted)


def test_a_surface_is_an_object_of_its_own() -> None:
    surface = fit_thin_plate_spline(torch.rand(1, 4, 2), torch.rand(1, 4, 5))
    assert isinstance(surface, ThinPlateSpline)
    assert surface.values(torch.rand(1, 7, 2)).shape == (1, 7, 5)
    assert surface.evaluate(3, 4, torch.zeros(())).shape == (1, 5, 3, 4)
