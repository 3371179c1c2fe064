"""The warp controller: it predicts control points and their displacements."""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from torch import Tensor, nn

from restore.core.runtime.precision import in_full_precision
from restore.plugins.warpgan.networks.layers import Hidden, Linear

Controller = Literal["pooled", "dense"]
"""pooled: averages features over a few fields first, for images of any size. dense: has weights for every position, as
published, for images of one size."""

FIELDS = 4
"""Rows and columns of fields of the pooled controller."""

PUBLISHED_SIZE = 256
"""Side of the images that WarpGAN was trained with."""

SPREAD = 50 / 256
"""Initial standard deviation of the mean control points around the center, in sides of the image."""


class WarpController(nn.Module):
    """Predicts control points and displacements from the content of an image (Shi et al., 2019, section 3.2).

    Both are learned in pixels of an image of ``size`` x ``size`` and scaled to the height and width of the actual
    image. Points start around the center, inside the image; displacements start near zero.

    Args:
        size: side of the images in pixels; needed by the ``dense`` controller.
        channels: channels of the content.
        points: number of control points.
        kind: ``pooled`` or ``dense``.
        dropout: probability of dropout in the hidden layer.
    """

    def __init__(
        self,
        size: int | None,
        channels: int = 256,
        points: int = 16,
        kind: Controller = "pooled",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if kind == "dense" and size is None:
            raise ValueError("the dense warp controller needs the size of its images")
        self.kind = kind
        self.size = size or PUBLISHED_SIZE
        self.side = -(-self.size // 4)
        fields = self.side if kind == "dense" else FIELDS
        self.hidden = Hidden(channels * fields**2, channels // 2, dropout)
        self.mean = nn.Parameter(torch.empty(points, 2))
        self.points = Linear(channels // 2, 2 * points, bias=False)
        self.displacements = Linear(channels // 2, 2 * points)
        middle = self.size / 2
        nn.init.trunc_normal_(self.mean, middle, SPREAD * self.size, a=0.05 * self.size, b=0.95 * self.size)
        for layer in (self.points, self.displacements):
            nn.init.normal_(layer.weight, std=0.01 * self.size / (channels // 4) ** 0.5)  # a hundredth of the side

    def forward(self, content: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Content (B, C, h, w) of images of a height and width to points and displacements (B, P, 2), in pixels.

        Both are rows and columns in at least float32. Raises ValueError for a size that the dense controller does not
        accept.
        """
        if self.kind == "pooled":
            content = fields(content, FIELDS)
        elif content.shape[-2:] != (self.side, self.side):
            raise ValueError(f"this generator warps images of {self.size} x {self.size} pixels, not {width} x {height}")
        hidden = self.hidden(content.flatten(1))
        scale = self.mean.new_tensor([height / self.size, width / self.size])
        offsets = rearrange(in_full_precision(self.points, hidden), "b (p two) -> b p two", two=2)
        moves = rearrange(in_full_precision(self.displacements, hidden), "b (p two) -> b p two", two=2)
        return scale * (self.mean + offsets), scale * moves


def fields(x: Tensor, count: int) -> Tensor:
    """Return the means (B, C, count, count) over equal parts of the rows and columns of (B, C, H, W).

    A pixel between two parts belongs to both in proportion. Two matrix products have deterministic gradients
    everywhere.
    """
    rows, columns = shares(x.shape[-2], count).to(x), shares(x.shape[-1], count).to(x)
    return torch.einsum("bchw,rh,sw->bcrs", x, rows, columns)


def shares(size: int, count: int) -> Tensor:
    """Return the weights (count, size) of ``size`` pixels in ``count`` equal parts of a line."""
    ends = torch.arange(count + 1) * (size / count)
    pixels = torch.arange(size + 1.0)
    within = (torch.minimum(ends[1:, None], pixels[1:]) - torch.maximum(ends[:-1, None], pixels[:-1])).clamp_min(0)
    return within / within.sum(1, keepdim=True)
