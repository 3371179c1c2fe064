"""Penalties on control points that leave the image or fold it, and statistics of the warp.

The published system has no such penalties. Coordinates are rows and columns in pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from restore.plugins.warpgan.networks.spline import ThinPlateSpline
from restore.plugins.warpgan.networks.warping import REGULARIZER, displacement_spline

LINES = 16
"""Rows and columns of the grid on which a warp is checked."""


def measure_outside(points: Tensor, height: int, width: int) -> Tensor:
    """Return the mean squared distance (B,) of points (B, P, 2) from the image, relative to its sides; 0 if all are
    inside."""
    size = points.new_tensor([height, width])
    beyond = (points - (size - 1)).clamp_min(0) + (-points).clamp_min(0)
    return (beyond / size).square().sum(-1).mean(-1)


def determinants(
    points: Tensor, displacements: Tensor, height: int, width: int, regularizer: float = REGULARIZER
) -> Tensor:
    """Return the local magnification of area by a warp, (B, N); it is negative where the warp folds.

    These are exact determinants of the Jacobian of p - flow(p), at the targets of the control points (B, P, 2) and on a
    coarse grid; 1 where nothing moves.
    """
    spline = displacement_spline(points, displacements, height, width, regularizer)
    return _determinants(spline, torch.cat([_grid(points, height, width), points + displacements], dim=1))


def folds(
    points: Tensor,
    displacements: Tensor,
    height: int,
    width: int,
    regularizer: float = REGULARIZER,
    margin: float = 0.0,
) -> Tensor:
    """Return how much a warp folds images, (B,): 0 if it is one to one.

    It is the mean of log(1 + m - d) over the positions whose determinant d is below the margin m. The logarithm is
    needed because points that almost meet tear the image by factors of thousands, which would dominate all other terms.
    """
    return (margin - determinants(points, displacements, height, width, regularizer)).clamp_min(0).log1p().mean(1)


def statistics(points: Tensor, displacements: Tensor, height: int, width: int) -> dict[str, Tensor]:
    """Return statistics of a warp, (B,) each, without gradients.

    - ``displacement``: mean length of displacements, relative to the sides of the image.
    - ``largest``: the longest displacement.
    - ``spread``: mean distance of the points from their center.
    - ``outside``: fraction of points outside the image.
    - ``folded``: fraction of positions where the warp folds.
    """
    points, displacements = points.detach(), displacements.detach()
    size = points.new_tensor([height, width])
    lengths = (displacements / size).norm(dim=-1)
    within = ((points >= 0) & (points <= size - 1)).all(-1)
    return {
        "displacement": lengths.mean(1),
        "largest": lengths.amax(1),
        "spread": ((points - points.mean(1, keepdim=True)) / size).norm(dim=-1).mean(1),
        "outside": 1 - within.to(points).mean(1),
        "folded": (determinants(points, displacements, height, width) < 0).to(points).mean(1),
    }


def _grid(points: Tensor, height: int, width: int) -> Tensor:
    rows, columns = torch.linspace(0, height - 1, LINES), torch.linspace(0, width - 1, LINES)
    places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).flatten(0, 1)
    return places.to(points).expand(len(points), -1, 2)


def _determinants(spline: ThinPlateSpline, places: Tensor) -> Tensor:
    identity = torch.eye(2, dtype=torch.float64, device=spline.middle.device)
    jacobian = identity - spline.slopes(places)  # (B, N, 2, 2)
    return (jacobian[..., 0, 0] * jacobian[..., 1, 1] - jacobian[..., 0, 1] * jacobian[..., 1, 0]).to(places)
