"""Warp images by moving control points, with a thin-plate spline between them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.runtime.precision import at_least_float32
from restore.plugins.warpgan.networks.spline import ThinPlateSpline, fit_thin_plate_spline

REGULARIZER = 1e-6
"""Default regularizer in squared pixels, as in the authors' code (Shi et al., 2019)."""


class Warped(NamedTuple):
    """A warped image and its flow."""

    image: Tensor
    """(B, C, H, W)."""
    flow: Tensor
    """(B, 2, H, W): rows and columns by which each pixel was moved to its position."""


# Which surfaces need float64 depends on their values, so each combination would be compiled again.
@torch.compiler.disable  # type: ignore[untyped-decorator]
def warp(
    image: Tensor, points: Tensor, displacements: Tensor, regularizer: float = REGULARIZER, boundary: int = 0
) -> Warped:
    """Move the content at control points by their displacements, and everything between them smoothly.

    The spline is defined at the targets of the points, so that every pixel has a source: out(p) = in(p - flow(p)),
    bilinear between pixels; outside the image, the nearest border pixel. Differentiable in the first three arguments;
    computed in at least float32.

    Args:
        image: (B, C, H, W).
        points: (B, P, 2), rows and columns in pixels; (0, 0) is the center of the first pixel.
        displacements: (B, P, 2), in pixels.
        regularizer: regularizer of the spline, in squared pixels.
        boundary: number of parts of each side whose ends stay in place: 1 fixes the corners, 2 also the centers of the
            sides, and so on; 0 fixes nothing.
    """
    height, width = image.shape[-2:]
    with torch.autocast(image.device.type, enabled=False):
        whole = at_least_float32(image)
        flow = displacement_spline(points, displacements, height, width, regularizer, boundary).evaluate(
            height, width, whole
        )
        return Warped(sample_backwards(whole, flow), flow)


def displacement_spline(
    points: Tensor,
    displacements: Tensor,
    height: int,
    width: int,
    regularizer: float = REGULARIZER,
    boundary: int = 0,
) -> ThinPlateSpline:
    """Return the spline of the displacements at the targets of the points; arguments as for `warp`."""
    if boundary:
        pins = outline(height, width, boundary).to(points).expand(len(points), -1, 2)
        points = torch.cat([points, pins], 1)
        displacements = torch.cat([displacements, torch.zeros_like(pins)], 1)
    return fit_thin_plate_spline(points + displacements, displacements, regularizer, unit=max(height, width) / 2)


def outline(height: int, width: int, parts: int) -> Tensor:
    """Return positions (N, 2) on the border of an image: corners, and the points that divide each side into
    ``parts``."""
    rows, columns = torch.linspace(0, height - 1, parts + 1), torch.linspace(0, width - 1, parts + 1)
    places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).flatten(0, 1)
    steps = torch.stack(torch.meshgrid(torch.arange(parts + 1), torch.arange(parts + 1), indexing="ij"), -1)
    return places[((steps == 0) | (steps == parts)).any(-1).flatten()]


def sample_backwards(image: Tensor, flow: Tensor) -> Tensor:
    """Return in(p - flow(p)) of images (B, C, H, W) and flows (B, 2, H, W) in pixels, bilinear; borders are
    repeated."""
    height, width = image.shape[-2:]
    rows = torch.arange(height).to(flow)[:, None] - flow[:, 0]  # (B, H, W)
    columns = torch.arange(width).to(flow) - flow[:, 1]
    if image.is_cuda and torch.are_deterministic_algorithms_enabled():
        return sample_at(image, rows, columns)
    places = torch.stack([2 * columns / max(1, width - 1) - 1, 2 * rows / max(1, height - 1) - 1], dim=-1)
    return F.grid_sample(image, places, mode="bilinear", padding_mode="border", align_corners=True)


def sample_at(image: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Sample images (B, C, H, W) at rows and columns (B, h, w) like `sample_backwards`, with a deterministic gradient.

    torch's own sampling has none on CUDA.
    """
    height, width = image.shape[-2:]
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    top, left = rows.detach().floor(), columns.detach().floor()
    down, across = (rows - top)[:, None], (columns - left)[:, None]  # (B, 1, h, w)
    total = torch.zeros((), dtype=image.dtype, device=image.device)
    for below, share in ((0, 1 - down), (1, down)):
        for right, part in ((0, 1 - across), (1, across)):
            index = (top + below).clamp_max(height - 1) * width + (left + right).clamp_max(width - 1)
            index = index.nan_to_num().long().flatten(1)[:, None].expand(-1, image.shape[1], -1)
            pixels = image.flatten(2).gather(2, index).reshape(*image.shape[:2], *rows.shape[1:])
            total = total + share * part * pixels
    return total
