"""What WarpGAN exaggerates: control points, and where each is moved."""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from torch import Tensor, nn

from restore.core.runtime.precision import in_full_precision
from restore.plugins.warpgan.networks.layers import Hidden, Linear

Controller = Literal["pooled", "dense"]
"""pooled: features are averaged over a few fields first, for images of any size. dense: weights for every place, as
published, for images of one size."""

FIELDS = 4
"""Rows and columns of fields that the pooled controller tells apart."""

PUBLISHED_SIZE = 256
"""Side of the images that WarpGAN was trained with."""

SPREAD = 50 / 256
"""Deviation of the mean control points from the middle at the start, in sides of the image."""


class WarpController(nn.Module):
    """Control points and their displacements from the content of an image (Shi et al., 2019, section 3.2).

    Both come in pixels of an image of ``size`` x ``size``, as they are learned, and are scaled to the image's own
    height and width. The points begin around the middle, inside the image; the displacements near zero.
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

        Rows and columns, in float32 at least. ValueError for another size than the dense controller was made for.
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
    """Means (B, C, count, count) over equal shares of the rows and columns of (B, C, H, W), whatever its size.

    A pixel on the line between two shares belongs to both by parts. As two products of matrices, whose gradient is
    deterministic everywhere.
    """
    rows, columns = shares(x.shape[-2], count).to(x), shares(x.shape[-1], count).to(x)
    return torch.einsum("bchw,rh,sw->bcrs", x, rows, columns)


def shares(size: int, count: int) -> Tensor:
    """(count, size): how much each of ``size`` pixels in a line is worth to each of ``count`` equal shares of it."""
    ends = torch.arange(count + 1) * (size / count)
    pixels = torch.arange(size + 1.0)
    within = (torch.minimum(ends[1:, None], pixels[1:]) - torch.maximum(ends[:-1, None], pixels[:-1])).clamp_min(0)
    return within / within.sum(1, keepdim=True)
