"""Encoders of content (a feature map) and style (a code), and the decoder."""

from __future__ import annotations

import torch
from einops import reduce
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.runtime.precision import in_full_precision
from restore.plugins.warpgan.networks.layers import (
    LAYER_EPSILON,
    Convolution,
    Hidden,
    Linear,
    Normalized,
    Residual,
    StyledResidual,
    upsample,
)


class ContentEncoder(nn.Module):
    """Three convolutions, two with stride 2, and three residual blocks; instance normalization removes the style."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            Normalized(3, width, 7),
            Normalized(width, 2 * width, 4, stride=2),
            Normalized(2 * width, 4 * width, 4, stride=2),
        )
        self.blocks = nn.Sequential(*(Residual(4 * width) for _ in range(3)))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 4 * width, H / 4, W / 4)."""
        content: Tensor = self.blocks(self.convolutions(image))
        return content


class StyleEncoder(nn.Module):
    """Three convolutions without normalization, which would remove the style, average pooling, and a linear layer."""

    def __init__(self, style: int = 8, width: int = 64) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            Convolution(3, width, 7, bias=True),
            nn.ReLU(),
            Convolution(width, 2 * width, 4, stride=2, bias=True),
            nn.ReLU(),
            Convolution(2 * width, 4 * width, 4, stride=2, bias=True),
            nn.ReLU(),
        )
        self.code = Linear(4 * width, style)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, style)."""
        return in_full_precision(self.code, reduce(self.convolutions(image), "b c h w -> b c", "mean"))


class StyleController(nn.Module):
    """Maps a style code to the scale and shift of every channel, which all styled convolutions share."""

    def __init__(self, style: int = 8, channels: int = 256, dropout: float = 0.0) -> None:
        super().__init__()
        hidden = channels // 2
        self.hidden = nn.Sequential(Hidden(style, hidden, dropout), Hidden(hidden, hidden, dropout))
        self.scale = Linear(hidden, channels)
        self.shift = Linear(hidden, channels)

    def forward(self, style: Tensor) -> tuple[Tensor, Tensor]:
        """(B, style) to scale and shift, (B, channels) each."""
        hidden = self.hidden(style)
        return self.scale(hidden), self.shift(hidden)


class Upscaled(nn.Module):
    """Nearest-neighbor upscaling by 2, convolution, layer normalization over channels and positions, ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = Convolution(before, after, 5)
        self.norm = nn.GroupNorm(1, after, LAYER_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) to (B, after, 2 H, 2 W)."""
        return F.relu(self.norm(self.conv(upsample(x))))


class Decoder(nn.Module):
    """Three styled residual blocks and two upscaling stages; the last layer starts at zero, which gives a gray
    image."""

    def __init__(self, style: int = 8, width: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        self.controller = StyleController(style, 4 * width, dropout)
        self.blocks = nn.ModuleList(StyledResidual(4 * width) for _ in range(3))
        self.upscale = nn.Sequential(Upscaled(4 * width, 2 * width), Upscaled(2 * width, width))
        self.last = Convolution(width, 3, 7, bias=True)
        nn.init.zeros_(self.last.weight)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """Content (B, 4 * width, H / 4, W / 4) and style (B, style) to images (B, 3, H, W) in [-1, 1]."""
        scale, shift = self.controller(style)
        for block in self.blocks:
            content = block(content, scale, shift)
        return torch.tanh(in_full_precision(self.last, self.upscale(content)))
