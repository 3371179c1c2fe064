"""Layers of WarpGAN's networks: reflection padding, normalization with and without style, residual blocks."""

from __future__ import annotations

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional as F

INSTANCE_EPSILON = 1e-6
"""Epsilon of instance normalization, as in the published code."""

LAYER_EPSILON = 1e-12
"""Epsilon of layer normalization, as in the published code."""


def pad_by_reflection(x: Tensor, by: int) -> Tensor:
    """Pad ``x`` (B, C, H, W) by reflection on every side, without repeating the border.

    torch's own padding has no deterministic gradient on CUDA.
    """
    if by and x.is_cuda and torch.are_deterministic_algorithms_enabled():
        for axis in (2, 3):
            size = x.shape[axis]
            before, after = x.narrow(axis, 1, by).flip(axis), x.narrow(axis, size - 1 - by, by).flip(axis)
            x = torch.cat([before, x, after], dim=axis)
        return x
    return F.pad(x, (by, by, by, by), mode="reflect")


def upsample(x: Tensor) -> Tensor:
    """Double the size of ``x`` (B, C, H, W): every pixel becomes four."""
    return repeat(x, "b c h w -> b c (h down) (w across)", down=2, across=2)


class Convolution(nn.Conv2d):
    """A convolution with reflection padding and the initialization of Glorot and Bengio (2010)."""

    def __init__(self, before: int, after: int, size: int, stride: int = 1, bias: bool = False) -> None:
        super().__init__(before, after, size, stride, bias=bias)
        self.border = (size - 1) // 2
        nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) to (B, after, H / stride, W / stride)."""
        return super().forward(pad_by_reflection(x, self.border))


class Linear(nn.Linear):
    """A linear layer with the initialization of Glorot and Bengio (2010); biases start at zero."""

    def __init__(self, before: int, after: int, bias: bool = True) -> None:
        super().__init__(before, after, bias)
        nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class Normalized(nn.Module):
    """A convolution, instance normalization with learned scale and shift, and optionally ReLU."""

    def __init__(self, before: int, after: int, size: int, stride: int = 1, activation: bool = True) -> None:
        super().__init__()
        self.conv = Convolution(before, after, size, stride)
        self.norm = nn.InstanceNorm2d(after, INSTANCE_EPSILON, affine=True)
        self.activation = nn.ReLU() if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) to (B, after, H / stride, W / stride)."""
        y: Tensor = self.activation(self.norm(self.conv(x)))
        return y


class Residual(nn.Module):
    """Residual block of two normalized convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Normalized(channels, channels, 3)
        self.second = Normalized(channels, channels, 3, activation=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        y: Tensor = x + self.second(self.first(x))
        return y


class StyledResidual(nn.Module):
    """Residual block with adaptive instance normalization (Huang and Belongie, 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Convolution(channels, channels, 3)
        self.second = Convolution(channels, channels, 3)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """(B, C, H, W), with a scale and a shift (B, C) per channel, to the same shape."""
        y = F.relu(apply_style(self.first(x), scale, shift))
        return x + apply_style(self.second(y), scale, shift)


def apply_style(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalize each channel to mean 0 and deviation 1, multiply by a scale (B, C), and add a shift (B, C)."""
    x = F.instance_norm(x, eps=INSTANCE_EPSILON)
    return x * rearrange(scale, "b c -> b c 1 1") + rearrange(shift, "b c -> b c 1 1")


class Hidden(nn.Module):
    """A linear layer without bias, layer normalization, ReLU, and dropout."""

    def __init__(self, before: int, after: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = Linear(before, after, bias=False)
        self.norm = nn.LayerNorm(after, LAYER_EPSILON)
        self.activation = nn.ReLU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before) to (B, after)."""
        y: Tensor = self.dropout(self.activation(self.norm(self.linear(x))))
        return y
