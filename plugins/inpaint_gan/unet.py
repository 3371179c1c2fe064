"""The U-Net generator of pix2pix (Isola et al., 2017)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from restore.core.specs import Tiling
from restore.plugins.common.inpainting.refinement import residual_blocks, start_as_identity
from restore.plugins.inpaint_gan.blocks import (
    FullPrecisionTransposedConvolution,
    Norm,
    normalization,
    pad_by_repeating,
    start_normal,
    start_unnormalized,
)


class UNetGenerator(nn.Module):
    """A U-Net: the encoder halves each level with a 4x4 convolution, and the decoder has a skip connection to each
    level.

    With the defaults and three input channels it has the 54,413,955 parameters and the names of the published network
    (section 6.1.1 of the paper).

    A level with an odd side is padded by repeating its last row or column and cropped after it. An image with a side
    shorter than 2^depth is first padded to that. Multiples of 2^depth are computed exactly as published.

    Args:
        channels: channels of the first level; they double with each level up to eight times as many.
        depth: number of halvings.
        norm: normalization.
        dropout: whether to drop half of the features of the levels whose channels no longer double, except the
            innermost.
        input_channels: channels of the input.
        blocks: residual blocks before the last layer, which add depth at the finest level; published: 0.
    """

    def __init__(
        self,
        channels: int = 64,
        depth: int = 8,
        norm: Norm = "batch",
        dropout: bool = False,
        input_channels: int = 4,
        blocks: int = 0,
    ) -> None:
        super().__init__()
        if depth < 2:
            raise ValueError(f"a U-Net needs at least 2 levels, not {depth}")
        widths = [channels * 2 ** min(level, 3) for level in range(depth)]
        # As published, a network with batch normalization has no biases, even before layers without it. One with
        # instance normalization has biases, except those that the normalization would remove.
        unnormalized, normalized = norm != "batch", norm == "none"
        outer, inner = widths[-2:]
        level: nn.Module = _Level(
            nn.LeakyReLU(0.2),
            _halving(outer, inner, bias=unnormalized),
            nn.ReLU(),
            _doubling(inner, outer, bias=normalized),
            normalization(norm, outer),
        )
        for outer, inner in reversed(list(pairwise(widths[:-1]))):
            layers = [
                nn.LeakyReLU(0.2),
                _halving(outer, inner, bias=normalized),
                normalization(norm, inner),
                level,
                nn.ReLU(),
                _doubling(2 * inner, outer, bias=normalized),
                normalization(norm, outer),
            ]
            if dropout and outer == inner:
                layers.append(nn.Dropout(0.5))
            level = _Level(*layers)
        self.model = _Frame(
            _halving(input_channels, channels, bias=unnormalized),
            level,
            nn.ReLU(),
            *residual_blocks(2 * channels, blocks),
            FullPrecisionTransposedConvolution(2 * channels, 3, 4, stride=2, padding=1),
            nn.Tanh(),
        )
        self.smallest = 2**depth
        self.tiling = Tiling("whole", halo=0, multiple_of=self.smallest)
        if norm == "none":
            start_unnormalized(self)
        else:
            start_normal(self)
        start_as_identity(self)

    def forward(self, x: Tensor) -> Tensor:
        """(B, input_channels, H, W), image (black inside the hole) and mask, to (B, 3, H, W) in [-1, 1]."""
        height, width = x.shape[-2:]
        image: Tensor = self.model(pad_by_repeating(x, max(height, self.smallest), max(width, self.smallest)))
        return image[..., :height, :width]


class _Frame(nn.Module):
    """Layers that halve and double again, around the inner levels; the output has the size of the input."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        y: Tensor = self.model(pad_by_repeating(x, height + height % 2, width + width % 2))
        return y[..., :height, :width]


class _Level(_Frame):
    """A level with all inner levels; its output is concatenated to its input."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, super().forward(x)], dim=1)


def _halving(before: int, after: int, bias: bool) -> nn.Conv2d:
    return nn.Conv2d(before, after, 4, stride=2, padding=1, bias=bias)


def _doubling(before: int, after: int, bias: bool) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=bias)
