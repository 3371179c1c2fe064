"""Thin-plate splines: the surface that bends least on its way through given values at given places of the plane.

The surface is a plane and a kernel ``r² log r`` around each place (Duchon, 1977; Bookstein, 1989). The small system for
their weights is solved in float64 whatever the precision around it. The surface over an image is made of float32 where
that is exact to a few thousandths, and its memory does not grow with the number of pixels times that of places: it is
made in parts, and the gradient makes the parts anew.

Coordinates are divided by a unit first. That changes the surface in nothing but rounding: under the side conditions of
the weights, the kernel of scaled distances differs from the kernel itself by a plane, which the plane takes up.
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
"""Least regularizer, in squared units: two values at one place have a mean instead of no surface."""

THIN = 1e-3
"""Deviation of the places along a direction, in units, under which they say nothing about the plane's slope along it:
it is the flattest then. Places all but on one line, or in one place, would tilt it by millions otherwise."""

NEAREST = 1e-30
"""Squared distance, in units, under which the kernel is the one at that distance; its limit is zero."""

STIFF = 2e4
"""Sum of absolute weights above which float32 would be off by a hundredth of a value's unit, and float64 is used."""

PART = 2**18
"""Kernel values that exist at once on a processor: what stays in its cache."""

PART_OF_DEVICE = 2**24
"""Kernel values that exist at once on an accelerator: enough to fill it."""


@dataclass(frozen=True)
class ThinPlateSpline:
    """Surfaces of one batch, in float64: value(q) = plane(q) + sum of weights x kernel(distance of q to each place)."""

    middle: Tensor
    """(B, 1, 2): what is taken off every coordinate, then ``unit`` (B, 1, 1) divides it."""
    unit: Tensor
    places: Tensor
    """(B, P, 2), in units from the middle."""
    weights: Tensor
    """(B, P, K) for values of K numbers."""
    plane: Tensor
    """(B, 3, K): height at the middle, and slope along each coordinate."""

    def values(self, queries: Tensor) -> Tensor:
        """The surface at any places (B, Q, 2): (B, Q, K), in float64."""
        queries = self._scaled(queries)
        away = queries[:, :, None] - self.places[:, None]  # (B, Q, P, 2)
        return kernel(away.square().sum(-1)) @ self.weights + self.plane[:, :1] + queries @ self.plane[:, 1:]

    def slopes(self, queries: Tensor) -> Tensor:
        """Derivatives (B, Q, K, 2) of the surface along each coordinate at any places (B, Q, 2), in float64."""
        queries = self._scaled(queries)
        away = queries[:, :, None] - self.places[:, None]
        bent = (away.square().sum(-1).clamp_min(NEAREST).log() + 1)[..., None] * away  # (B, Q, P, 2)
        slopes = torch.einsum("bqpd,bpk->bqkd", bent, self.weights) + self.plane[:, None, 1:].transpose(-1, -2)
        return slopes / self.unit[..., None]

    def over(self, height: int, width: int, like: Tensor) -> Tensor:
        """The surface at every pixel, (row, column) from (0, 0): (B, K, height, width), of the type of ``like``."""
        precise = self._over(height, width) if like.dtype == torch.float64 else None
        if precise is not None:
            return precise.to(like.device)
        flat = replace(
            self,
            **{name: getattr(self, name).to(like.device, torch.float32) for name in self.__dataclass_fields__},
        )
        surface = flat._over(height, width)
        # a comparison of numbers and not of a tensor: what is stiff is rare, and costs float64 only then
        stiff = [b for b, total in enumerate(self.weights.detach().abs().sum((1, 2)).tolist()) if not total <= STIFF]
        if stiff:
            some = replace(self, **{name: getattr(self, name)[stiff] for name in self.__dataclass_fields__})
            index = torch.tensor(stiff, device=like.device)
            surface = surface.index_copy(0, index, some._over(height, width).to(like.device, torch.float32))
        return surface

    def _over(self, height: int, width: int) -> Tensor:
        rows = (torch.arange(height).to(self.middle) - self.middle[..., 0]) / self.unit[..., 0]
        columns = (torch.arange(width).to(self.middle) - self.middle[..., 1]) / self.unit[..., 0]
        surface: Tensor = _Surface.apply(self.places, self.weights, self.plane, rows, columns)
        return surface

    def _scaled(self, queries: Tensor) -> Tensor:
        return (in_float64(queries) - self.middle) / self.unit


def thin_plate_spline(
    places: Tensor, values: Tensor, regularizer: float = 0.0, unit: float | None = None
) -> ThinPlateSpline:
    """The surfaces through ``values`` (B, P, K) at ``places`` (B, P, 2); differentiable in both.

    ``regularizer``, in squared units of the coordinates, is how far the surface may stay away from the values for the
    sake of smoothness; zero: it goes through them. In scipy's RBFInterpolator it is the ``smoothing``. ``unit`` is a
    length of the order of what is looked at, such as half the side of an image; the reach of the places otherwise. It
    decides only what degenerate places give: those at one place share the mean of their values, and those within a
    thousandth of it of one line, or all of one place, give a surface that is flat across it, or everywhere. A few that
    all but meet with different values tear the surface, as they tear every such spline; a regularizer calms that.
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
    # without its check, which would end a run where a network says NaN, and wait for an accelerator
    answer = torch.linalg.solve_ex(system, wanted, check_errors=False)[0]
    return ThinPlateSpline(middle, scale, places, answer[:, :points], answer[:, points:])


def flatness(places: Tensor) -> Tensor:
    """What slopes cost (B, 3, 3), for places (B, P, 2) around zero: next to nothing, but where the places are thin."""
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
    """r² log r of squared distances."""
    return 0.5 * squared * squared.clamp_min(NEAREST).log()


class _Surface(torch.autograd.Function):
    """A surface at the crossings of rows and columns, with a gradient that keeps none of the kernel's values."""

    @staticmethod
    def forward(ctx: Any, places: Tensor, weights: Tensor, plane: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.save_for_backward(places, weights, rows, columns)
        samples, points, values = weights.shape
        surface = weights.new_empty(samples, values, rows.shape[1], columns.shape[1])
        heights = 0.5 * weights.transpose(1, 2)  # (B, K, P)
        with torch.autocast(weights.device.type, enabled=False):
            for batch, lines in _parts(points, rows, columns):
                squared = _squared(places[batch], rows[batch, lines], columns[batch])  # (b, P, h, W)
                bent = squared.clamp_min(NEAREST).log_().mul_(squared).flatten(2)
                part = surface[batch, :, lines]
                part.copy_((heights[batch] @ bent).view_as(part))
                part += (plane[batch, 0, :, None] + plane[batch, 1, :, None] * rows[batch, None, lines])[..., None]
                part += plane[batch, 2, :, None, None] * columns[batch, None, None]
        return surface

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The kernel's derivatives are its logarithm times polynomials of the pixel: one product gives all sums."""
        places, weights, rows, columns = ctx.saved_tensors
        samples, points, values = weights.shape
        logarithms = weights.new_zeros(samples, points, 4 * values)
        plain = weights.new_zeros(samples, 4 * values)
        with torch.autocast(weights.device.type, enabled=False):
            for batch, lines in _parts(points, rows, columns):
                y, x = rows[batch, None, lines, None], columns[batch, None, None]
                part = gradient[batch, :, lines]
                moments = torch.cat([part, part * y, part * x, part * (y.square() + x.square())], 1).flatten(2)
                squared = _squared(places[batch], rows[batch, lines], columns[batch])
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


def _squared(places: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Squared distances (B, P, H, W) of places to the crossings of rows (B, H) and columns (B, W)."""
    down = (rows[:, None] - places[..., :1]).square()  # (B, P, H)
    across = (columns[:, None] - places[..., 1:]).square()
    return down[..., None] + across[:, :, None]


def _parts(points: int, rows: Tensor, columns: Tensor) -> Iterator[tuple[slice, slice]]:
    """Which samples and which of their rows to make at once."""
    samples, height = rows.shape
    most = PART if rows.device.type == "cpu" else PART_OF_DEVICE
    line = points * columns.shape[1]
    together = max(1, most // max(1, line * height))
    lines = max(1, min(height, most // max(1, line)))
    for first in range(0, samples, together):
        for top in range(0, height, lines):
            yield slice(first, first + together), slice(top, top + lines)
