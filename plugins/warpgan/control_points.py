"""What is asked of control points: to stay in the image, and to move without folding it; and what they do.

Nothing holds them in the published system. Coordinates are rows and columns in pixels throughout.
"""

from __future__ import annotations

import torch
from torch import Tensor

from restore.plugins.warpgan.networks.spline import ThinPlateSpline
from restore.plugins.warpgan.networks.warping import REGULARIZER, displacement_spline

LINES = 16
"""Rows and columns of the places where a warp is looked at, besides its control points."""


def outside(points: Tensor, height: int, width: int) -> Tensor:
    """Mean squared distance (B,) of points (B, P, 2) from an image, in sides of it; zero where all are in it."""
    size = points.new_tensor([height, width])
    beyond = (points - (size - 1)).clamp_min(0) + (-points).clamp_min(0)
    return (beyond / size).square().sum(-1).mean(-1)


def determinants(
    points: Tensor, displacements: Tensor, height: int, width: int, regularizer: float = REGULARIZER
) -> Tensor:
    """By how much a warp magnifies area where it takes an image from (B, N): below zero it is folded there.

    The determinants of the Jacobian of p - flow(p), exact, at where the control points (B, P, 2) arrive and on a coarse
    grid; 1 where nothing moves.
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
    """How badly a warp folds images (B,): zero where it is one to one, else more the more of it is turned over.

    The mean of log(1 + m - d) over the places whose determinant d lies below the margin m. The logarithm, because
    points that all but meet tear the image by factors of thousands, which would drown all other terms.
    """
    return (margin - determinants(points, displacements, height, width, regularizer)).clamp_min(0).log1p().mean(1)


def statistics(points: Tensor, displacements: Tensor, height: int, width: int) -> dict[str, Tensor]:
    """What a warp does to each image, (B,) each, without a gradient.

    ``displacement``: mean length of displacements in sides of the image; ``largest``: the longest; ``spread``: mean
    distance of the points from their middle in sides; ``outside``: share of the points that are outside the image;
    ``folded``: share of places where the warp is folded.
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
