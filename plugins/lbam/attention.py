"""Attention maps that are learned from masks (Xie et al., 2019, section 3).

A mask, one where the image is known, is convolved beside the image. From the convolved mask come an attention map,
by an asymmetric Gaussian, and the mask of the next level, by a power that closes holes a little more on every level.
Partial convolution (Liu et al., 2018) is the special case with fixed weights and a step in the Gaussian's place.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

UPDATE_POWER = 0.8
"""Exponent of the mask's update (equation 10)."""


COVERED = 0.5
"""Marked share of what a mask's convolution sees from which on there is full attention, at the start of training."""
SPREAD = 0.25
"""Spread of the channels' averages at the start of training, as a share of their mean."""


class _Bounded(torch.autograd.Function):
    """Clamp whose gradient still leads back from outside.

    That of an ordinary clamp is zero out there, so that a parameter which one step carried over the edge would stay
    for good; this one drops only what points further outward.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(value)
        ctx.low, ctx.high = low, high
        return value.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None]:
        (value,), (slope,) = ctx.saved_tensors, slopes
        outward = ((value <= ctx.low) & (slope > 0)) | ((value >= ctx.high) & (slope < 0))
        return torch.where(outward, torch.zeros_like(slope), slope), None, None


def bounded(value: Tensor, low: float, high: float) -> Tensor:
    """A value clamped to [low, high]; a gradient step can bring it back from outside, and never takes it further."""
    result: Tensor = _Bounded.apply(value, low, high)
    return result


class AsymmetricGaussian(nn.Module):
    """From convolved mask values x to attention (equation 8), with four learned numbers.

    ``peak · exp(-rise (x - center)²)`` below the center, ``1 + (peak - 1) · exp(-fall (x - center)²)`` from there on:
    near zero deep in the hole, ``peak`` at the center, and back to one beyond it.
    """

    def __init__(self, peak: float, center: float, rise: float, fall: float) -> None:
        super().__init__()
        self.peak, self.center = (nn.Parameter(torch.tensor(start)) for start in (peak, center))
        self.rise, self.fall = (nn.Parameter(torch.tensor(start)) for start in (rise, fall))

    def forward(self, x: Tensor) -> Tensor:
        """Attention of the shape of ``x``. The four numbers act within the bounds of the published code."""
        peak, center = bounded(self.peak, 1.01, 6.0), bounded(self.center, 0.1, 3.0)
        rise, fall = bounded(self.rise, 0.5, 2.0), bounded(self.fall, 0.5, 2.0)
        squares = (x - center).square()
        below, above = peak * torch.exp(-rise * squares), 1 + (peak - 1) * torch.exp(-fall * squares)
        return torch.where(x < center, below, above)


def updated(x: Tensor) -> Tensor:
    """The mask of the next level from convolved mask values (equation 10): ``max(x, 0) ** 0.8``."""
    return F.relu(x).pow(UPDATE_POWER)


class MapConvolution(nn.Module):
    """A mask to its attention map and to the mask of the next level, both half as high and wide."""

    def __init__(self, before: int, after: int, gaussian: AsymmetricGaussian) -> None:
        super().__init__()
        self.mask = halving(before, after)
        self.activation = gaussian

    def forward(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, before, H, W) to two of (B, after, H / 2, W / 2): attention, next mask."""
        x = self.mask(mask)
        return self.activation(x), updated(x)

    @torch.no_grad()
    def start_averaging(self, level: int, kernel: Tensor) -> None:
        """Start as a noisy average of the mask by a kernel (4, 4) of sum one; ``COVERED`` of it reaches the center.

        The average is scaled so that it is the same on every level for a mask of ones, which the power changes.
        """
        full = float(self.activation.center.detach()) / COVERED
        marked = 1.0 if level == 0 else full**UPDATE_POWER
        before, count = self.mask.weight.shape[1], self.mask.weight[0].numel()
        noise = torch.randn_like(self.mask.weight) * SPREAD / math.sqrt(count)
        self.mask.weight.copy_(full / marked * (kernel / before + noise))


def halving(before: int, after: int) -> nn.Conv2d:
    """The convolution of every level: 4 x 4 with stride 2, without bias."""
    return nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)


def doubling(before: int, after: int) -> nn.ConvTranspose2d:
    """Its transposed counterpart."""
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)
