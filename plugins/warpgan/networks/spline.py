"""Thin-plate splines: the smoothest surface through given values at given points of the plane.

The surface is a plane plus a kernel ``r² log r`` around each point (Duchon, 1977; Bookstein, 1989). The small system
for the weights is always solved in float64. The surface over an image is computed in float32 where that is exact to a
few thousandths. It is computed in parts, which the backward pass computes again, so memory does not grow with the
number of pixels times that of points.

Coordinates are divided by a unit first. That changes only rounding: under the side conditions of the weights, the
kernel of scaled distances differs from the kernel itself by a plane, which the plane absorbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from restore.core.runtime.devices import in_float64

SMALLEST = 1e-13
"""Least regularizer, in squared units, so that two values at one place give their mean."""

THIN = 1e-3
"""Standard deviation of points along a direction, in units, below which the plane is flat along it. Points almost on
one line, or in one place, would tilt it by millions otherwise."""

NEAREST = 1e-30
"""Least squared distance, in units, for the kernel, whose limit at zero is zero."""

STIFF = 2e4
"""Sum of absolute weights above which float64 is used, because the error of float32 would exceed 0.01."""

PART = 2**18
"""Number of kernel values computed at once on a CPU, so that they stay in its cache."""

PART_OF_DEVICE = 2**24
"""Number of kernel values computed at once on an accelerator, enough to use it fully."""


@dataclass(frozen=True)
class ThinPlateSpline:
    """Surfaces of a batch, in float64: value(q) = plane(q) + sum of weights * kernel(distance of q to each point)."""

    middle: Tensor
    """(B, 1, 2), subtracted from all coordinates, which are then divided by ``unit`` (B, 1, 1)."""
    unit: Tensor
    places: Tensor
    """(B, P, 2), in units from the middle."""
    weights: Tensor
    """(B, P, K) for values of K numbers."""
    plane: Tensor
    """(B, 3, K): value at the middle, and slope along each coordinate."""

    def values(self, queries: Tensor) -> Tensor:
        """Return the surface at any positions (B, Q, 2): (B, Q, K), in float64."""
        queries = self._scale(queries)
        away = queries[:, :, None] - self.places[:, None]  # (B, Q, P, 2)
        return kernel(away.square().sum(-1)) @ self.weights + self.plane[:, :1] + queries @ self.plane[:, 1:]

    def slopes(self, queries: Tensor) -> Tensor:
        """Return the derivatives (B, Q, K, 2) of the surface along each coordinate at positions (B, Q, 2), in
        float64."""
        queries = self._scale(queries)
        away = queries[:, :, None] - self.places[:, None]
        bent = (away.square().sum(-1).clamp_min(NEAREST).log() + 1)[..., None] * away  # (B, Q, P, 2)
        slopes = torch.einsum("bqpd,bpk->bqkd", bent, self.weights) + self.plane[:, None, 1:].transpose(-1, -2)
        return slopes / self.unit[..., None]

    def evaluate(self, height: int, width: int, like: Tensor) -> Tensor:
        """Return the surface at every pixel, (row, column) from (0, 0): (B, K, height, width), with the dtype of
        ``like``."""
        precise = self._evaluate(height, width) if like.dtype == torch.float64 else None
        if precise is not None:
            return precise.to(like.device)
        flat = replace(
            self,
            **{name: getattr(self, name).to(like.device, torch.float32) for name in self.__dataclass_fields__},
        )
        surface = flat._evaluate(height, width)
        # only the rare stiff surfaces are computed in float64
        stiff = [b for b, total in enumerate(self.weights.detach().abs().sum((1, 2)).tolist()) if not total <= STIFF]
        if stiff:
            some = replace(self, **{name: getattr(self, name)[stiff] for name in self.__dataclass_fields__})
            index = torch.tensor(stiff, device=like.device)
            surface = surface.index_copy(0, index, some._evaluate(height, width).to(like.device, torch.float32))
        return surface

    def _evaluate(self, height: int, width: int) -> Tensor:
        rows = (torch.arange(height).to(self.middle) - self.middle[..., 0]) / self.unit[..., 0]
        columns = (torch.arange(width).to(self.middle) - self.middle[..., 1]) / self.unit[..., 0]
        surface: Tensor = _Surface.apply(self.places, self.weights, self.plane, rows, columns)
        return surface

    def _scale(self, queries: Tensor) -> Tensor:
        return (in_float64(queries) - self.middle) / self.unit


def fit_thin_plate_spline(
    places: Tensor, values: Tensor, regularizer: float = 0.0, unit: float | None = None
) -> ThinPlateSpline:
    """Return the surfaces through ``values`` (B, P, K) at ``places`` (B, P, 2); differentiable in both.

    Points at the same place share the mean of their values. Points within a thousandth of ``unit`` of one line, or of
    one place, give a surface that is flat across that line, or everywhere. Points that almost meet with different
    values tear the surface, as in every such spline; a regularizer reduces that.

    Args:
        places: points (B, P, 2).
        values: values (B, P, K).
        regularizer: in squared units of the coordinates, how far the surface may stay away from the values to be
            smoother (``smoothing`` in scipy's RBFInterpolator); 0: it goes through them.
        unit: a length of the order of the domain, such as half the side of an image, for degenerate points; None: the
            extent of the points.
    """
    places, values = in_float64(places), in_float64(values)
    count, points = places.shape[:2]
    middle = places.detach().mean(1, keepdim=True)
    if unit is None:
        reach = (places.detach() - middle).abs().amax((1, 2), keepdim=True)
        scale = torch.where(reach > 0, reach, torch.ones_like(reach))
    else:
        scale = torch.full_like(middle[..., :1], unit)
    places = (places - middle) / scale
    away = places[:, :, None] - places[:, None]  # (B, P, P, 2)
    softness = (regularizer / scale.square()).clamp_min(SMALLEST)
    bending = kernel(away.square().sum(-1)) + softness * torch.eye(points).to(places)
    sides = torch.cat([torch.ones_like(places[..., :1]), places], dim=-1)  # (B, P, 3)
    system = torch.cat(
        [torch.cat([bending, sides], 2), torch.cat([sides.transpose(1, 2), -flatness(places.detach())], 2)], 1
    )
    wanted = torch.cat([values, values.new_zeros(count, 3, values.shape[-1])], 1)
    # without its check, which would stop a run with NaN, and synchronize with the accelerator
    answer = torch.linalg.solve_ex(system, wanted, check_errors=False)[0]
    return ThinPlateSpline(middle, scale, places, answer[:, :points], answer[:, points:])


def flatness(places: Tensor) -> Tensor:
    """Return the cost of slopes (B, 3, 3) for points (B, P, 2) around zero: about zero unless the points are
    degenerate."""
    spread = places.transpose(1, 2) @ places / places.shape[1]  # (B, 2, 2)
    (down, mixed), (_, across) = (row.unbind(-1) for row in spread.unbind(-2))
    half = ((down - across).square() / 4 + mixed.square()).sqrt()
    long, short = (down + across) / 2 + half, (down + across) / 2 - half  # variances along the two main directions
    costs = [(THIN**2 / variance.clamp_min(1e-3 * THIN**2)) ** 4 for variance in (long, short)]
    identity = torch.eye(2).to(places)
    thin = (long[:, None, None] * identity - spread) / (2 * half).clamp_min(1e-300)[:, None, None]
    cost = costs[0][:, None, None] * (identity - thin) + costs[1][:, None, None] * thin
    return torch.nn.functional.pad(cost, (1, 0, 1, 0))


def kernel(squared: Tensor) -> Tensor:
    """Return r² log r of squared distances."""
    return 0.5 * squared * squared.clamp_min(NEAREST).log()


class _Surface(torch.autograd.Function):
    """A surface on a grid of rows and columns; its backward pass stores no values of the kernel."""

    @staticmethod
    def forward(ctx: Any, places: Tensor, weights: Tensor, plane: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.save_for_backward(places, weights, rows, columns)
        samples, points, values = weights.shape
        surface = weights.new_empty(samples, values, rows.shape[1], columns.shape[1])
        heights = 0.5 * weights.transpose(1, 2)  # (B, K, P)
        with torch.autocast(weights.device.type, enabled=False):
            for batch, lines in _parts(points, rows, columns):
                squared = _compute_squared_distances(places[batch], rows[batch, lines], columns[batch])  # (b, P, h, W)
                bent = squared.clamp_min(NEAREST).log_().mul_(squared).flatten(2)
                part = surface[batch, :, lines]
                part.copy_((heights[batch] @ bent).view_as(part))
                part += (plane[batch, 0, :, None] + plane[batch, 1, :, None] * rows[batch, None, lines])[..., None]
                part += plane[batch, 2, :, None, None] * columns[batch, None, None]
        return surface

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Each derivative of the kernel is its logarithm times a polynomial of the pixel, so one product gives all
        sums."""
        places, weights, rows, columns = ctx.saved_tensors
        samples, points, values = weights.shape
        logarithms = weights.new_zeros(samples, points, 4 * values)
        plain = weights.new_zeros(samples, 4 * values)
        with torch.autocast(weights.device.type, enabled=False):
            for batch, lines in _parts(points, rows, columns):
                y, x = rows[batch, None, lines, None], columns[batch, None, None]
                part = gradient[batch, :, lines]
                moments = torch.cat([part, part * y, part * x, part * (y.square() + x.square())], 1).flatten(2)
                squared = _compute_squared_distances(places[batch], rows[batch, lines], columns[batch])
                logarithm = squared.clamp_min_(NEAREST).log_().flatten(2)  # (b, P, h W)
                logarithms[batch] += logarithm @ moments.transpose(1, 2)
                plain[batch] += moments.sum(2)
        log, log_y, log_x, log_square = logarithms.split(values, dim=2)  # each (B, P, K)
        one, one_y, one_x, _ = plain[:, None].split(values, dim=2)  # each (B, 1, K)
        y, x = places[..., :1], places[..., 1:]
        for_weights = 0.5 * (log_square - 2 * (y * log_y + x * log_x) + (y.square() + x.square()) * log)
        by_y = weights * (y * (log + one) - (log_y + one_y))
        by_x = weights * (x * (log + one) - (log_x + one_x))
        for_places = torch.stack([by_y.sum(2), by_x.sum(2)], 2)
        return for_places, for_weights, torch.cat([one, one_y, one_x], 1), None, None


def _compute_squared_distances(places: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return the squared distances (B, P, H, W) of points to the grid of rows (B, H) and columns (B, W)."""
    down = (rows[:, None] - places[..., :1]).square()  # (B, P, H)
    across = (columns[:, None] - places[..., 1:]).square()
    return down[..., None] + across[:, :, None]


def _parts(points: int, rows: Tensor, columns: Tensor) -> Iterator[tuple[slice, slice]]:
    """Yield slices of samples and of their rows to compute at once."""
    samples, height = rows.shape
    most = PART if rows.device.type == "cpu" else PART_OF_DEVICE
    line = points * columns.shape[1]
    together = max(1, most // max(1, line * height))
    lines = max(1, min(height, most // max(1, line)))
    for first in range(0, samples, together):
        for top in range(0, height, lines):
            yield slice(first, first + together), slice(top, top + lines)
