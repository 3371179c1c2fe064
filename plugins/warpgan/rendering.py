"""Drawings of a warp (control points, their displacements, the bent grid), and sheets of many warps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import ImageDraw
from torch import Tensor
from torch.nn import functional as F

from restore.core.errors import UsageError
from restore.core.images.pixels import to_pil_image

LINES = 16
"""Number of grid squares along a side."""

SIDE = 512
"""Least length of the longer side after upscaling; on a small image, lines would be as wide as its eyes."""

SHEET = 2**25
"""Pixels of the largest sheet, which needs about two gigabytes."""

_DIM, _GRID, _POINT, _ARROW, _OUTSIDE = 0.5, (235, 235, 235), (255, 220, 40), (255, 90, 60), (255, 0, 255)


def check_sheet(path: Path, size: tuple[int, int], rows: int, columns: int) -> None:
    """Raise UsageError if a sheet of ``rows`` x ``columns`` images of a size (height, width) would be too large."""
    height, width = size
    if rows * columns * height * width > SHEET:
        side = int((SHEET / (rows * columns)) ** 0.5)
        raise UsageError(
            f"{path}: {rows} rows of {columns} images of {width} x {height} pixels make a sheet of {columns * width} x "
            f"{rows * height}, above the limit of {SHEET / 1e6:.0f} million pixels; resize the photograph (for example "
            f"to {side} x {side}), or use fewer --styles or fewer values of --sweep"
        )


def mark_points(points: Tensor, displacements: Tensor, height: int, width: int) -> Tensor:
    """Return control points as an image (3, height, width): 1 at a point, with its displacement in rows and columns.

    ``points`` and ``displacements`` (P, 2) are rows and columns in pixels. A point outside the image is a 2 at the
    border.
    """
    plane = points.new_zeros(3, height, width)
    limits = points.new_tensor([height - 1, width - 1])
    inside = ((points >= 0) & (points <= limits)).all(1)
    rows, columns = torch.minimum(points.clamp(min=0), limits).round().long().unbind(1)
    plane[0, rows, columns] = 2 - inside.to(plane)
    plane[1:, rows, columns] = displacements.T.to(plane)
    return plane


def draw_points(image: Tensor, marks: Tensor, flow: Tensor) -> Tensor:
    """Draw a warp on an image: returns (3, H', W'), upscaled by an integer.

    Light lines show where a regular grid of the warped image comes from; an arrow leads from each control point to its
    target. Points outside the image have another color.

    Args:
        image: (3, H, W) in [0, 1].
        marks: (3, H, W), as from `mark_points`.
        flow: (2, H, W), how many rows and columns each pixel was moved to its position.
    """
    height, width = image.shape[-2:]
    factor = max(1, round(SIDE / max(height, width)))
    large = F.interpolate((_DIM * image)[None], scale_factor=factor, mode="nearest")[0]
    pil_image = to_pil_image(large)
    draw = ImageDraw.Draw(pil_image)
    thin = max(1, round(factor * max(height, width) / SIDE))
    for line in _grid(flow):
        draw.line(_places(line, factor), fill=_GRID, width=thin)
    for row, column in marks[0].nonzero().tolist():
        start = torch.tensor([row, column], dtype=torch.float)
        (x, y), end = _places(torch.stack([start, start + marks[1:, row, column].cpu()]), factor)
        draw.line([(x, y), end], fill=_ARROW, width=2 * thin)
        around = (x - 4 * thin, y - 4 * thin, x + 4 * thin, y + 4 * thin)
        draw.ellipse(around, fill=_POINT if marks[0, row, column] == 1 else _OUTSIDE)
    return torch.from_numpy(np.array(pil_image)).permute(2, 0, 1).float() / 255


def _grid(flow: Tensor) -> list[Tensor]:
    """Return the lines (N, 2) of rows and columns from which a regular grid of the warped image comes."""
    height, width = flow.shape[1:]
    rows, columns = torch.meshgrid(torch.arange(height).to(flow), torch.arange(width).to(flow), indexing="ij")
    places = torch.stack([rows, columns], -1) - flow.permute(1, 2, 0)
    across = torch.linspace(0, height - 1, LINES + 1).round().long()
    down = torch.linspace(0, width - 1, LINES + 1).round().long()
    return [*places[across], *places[:, down].unbind(1)]


def _places(points: Tensor, factor: int) -> list[tuple[float, float]]:
    """Convert rows and columns (N, 2) to x and y of an upscaled image."""
    return [((column + 0.5) * factor, (row + 0.5) * factor) for row, column in points.tolist()]
