"""Attention maps learned from masks (Xie et al., 2019, section 3).

A mask (1 where the image is known) is convolved in parallel with the image. An asymmetric Gaussian turns the convolved
mask into an attention map. A power turns it into the mask of the next level and closes holes a little more on every
level. Partial convolution (Liu et al., 2018) is a special case, with fixed weights and a step instead of the Gaussian.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

UPDATE_POWER = 0.8
"""Exponent of the mask update (equation 10)."""
COVERED = 0.5
"""Fraction of ones at which a convolved mask reaches the Gaussian's center, at the start of training."""
SPREAD = 0.25
"""Standard deviation of the channels' averages at the start of training, relative to their mean."""


class _Bounded(torch.autograd.Function):
    """Clamp with a gradient that leads back from outside the limits.

    The gradient of an ordinary clamp is zero outside, so a parameter that one step moves past a limit stays there
    forever. This one drops only gradients that point further outward.
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


def clamp_softly(value: Tensor, low: float, high: float) -> Tensor:
    """Clamp a value to [low, high]; gradient steps can bring it back from outside, but never move it further out."""
    result: Tensor = _Bounded.apply(value, low, high)
    return result


class AsymmetricGaussian(nn.Module):
    """Maps convolved mask values x to attention (equation 8), with four learned numbers.

    ``peak · exp(-rise (x - center)²)`` below the center and ``1 + (peak - 1) · exp(-fall (x - center)²)`` above it:
    close to zero deep inside the hole, ``peak`` at the center, and back to one beyond it.
    """

    def __init__(self, peak: float, center: float, rise: float, fall: float) -> None:
        super().__init__()
        self.peak, self.center = (nn.Parameter(torch.tensor(start)) for start in (peak, center))
        self.rise, self.fall = (nn.Parameter(torch.tensor(start)) for start in (rise, fall))

    def forward(self, x: Tensor) -> Tensor:
        """Return the attention, with the shape of ``x``. The four numbers are limited as in the published code."""
        peak, center = clamp_softly(self.peak, 1.01, 6.0), clamp_softly(self.center, 0.1, 3.0)
        rise, fall = clamp_softly(self.rise, 0.5, 2.0), clamp_softly(self.fall, 0.5, 2.0)
        squares = (x - center).square()
        below, above = peak * torch.exp(-rise * squares), 1 + (peak - 1) * torch.exp(-fall * squares)
        return torch.where(x < center, below, above)


def update_mask(x: Tensor) -> Tensor:
    """Return the mask of the next level from convolved mask values (equation 10): ``max(x, 0) ** 0.8``."""
    return F.relu(x).pow(UPDATE_POWER)


class MapConvolution(nn.Module):
    """Maps a mask to its attention map and to the mask of the next level, both of half the height and width."""

    def __init__(self, before: int, after: int, gaussian: AsymmetricGaussian) -> None:
        super().__init__()
        self.mask = halving(before, after)
        self.activation = gaussian

    def forward(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, before, H, W) to attention and next mask, (B, after, H / 2, W / 2) each."""
        x = self.mask(mask)
        return self.activation(x), update_mask(x)

    @torch.no_grad()
    def start_averaging(self, level: int, kernel: Tensor) -> None:
        """Initialize as a noisy average of the mask with a kernel (4, 4) of sum one.

        Where the fraction ``COVERED`` of the mask is one, the average reaches the center of the Gaussian. The power
        changes the values of a mask of ones from level to level; the scale makes up for that, so the average is the
        same on every level.
        """
        full = self.activation.center.detach().double() / COVERED
        marked = full.new_ones(()) if level == 0 else full**UPDATE_POWER
        before, count = self.mask.weight.shape[1], self.mask.weight[0].numel()
        noise = torch.randn_like(self.mask.weight) * SPREAD / math.sqrt(count)
        self.mask.weight.copy_(full / marked * (kernel / before + noise))


def halving(before: int, after: int) -> nn.Conv2d:
    """Return the convolution of every level: 4 x 4, stride 2, no bias."""
    return nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)


def doubling(before: int, after: int) -> nn.ConvTranspose2d:
    """Return the transposed convolution of every level: 4 x 4, stride 2, no bias."""
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)
