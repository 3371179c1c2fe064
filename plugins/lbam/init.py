"""Initialization of the generator as an image pyramid that fills holes from their surroundings.

Three pairs of channels of every level carry the level's colors: averaged on the way down, interpolated on the way up. A
pair carries a color once with a positive and once with a negative sign, because the difference of the two passes
LeakyReLU unchanged except for a factor. Colors are relative to mid-gray, so that unknown pixels count as zero.
Attention does the rest: inside the hole the forward maps suppress the finer level and the reverse maps pass on the
coarser one. All other weights are random and free for training.

With the published initialization (random weights with standard deviation 0.02), attention is a few percent everywhere,
and the deeper levels have no effect for hundreds of steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

SLOPE = 0.2
"""Slope of LeakyReLU for negative values."""

COLORS = 3
CARRIERS = 2 * COLORS
"""Number of channels that carry colors: first the three positive, then the three negative."""

FINER, COARSER = 0.4, 0.9
"""Weights of a level and of the coarser ones in the colors on the way up, before attention."""

COARSE = 4
"""First level, counted from 0, that averages over 2 x 2 pixels. Smoother averages would reach across the border of
these small maps and take the zeros there for gray."""


def averaging(level: int) -> Tensor:
    """Return the kernel (4, 4), of sum one, with which a level starts to average the finer one."""
    weights = torch.tensor([0.0, 1.0, 1.0, 0.0] if level >= COARSE else [0.25, 0.75, 0.75, 0.25])
    return torch.outer(weights, weights) / 4


@torch.no_grad()
def start_drawn(convolutions: Sequence[nn.Conv2d], transposed: Sequence[nn.ConvTranspose2d], last: Tensor) -> None:
    """Draw random weights that keep the variance of a signal (He et al., 2015); ``last`` gets about a tenth of that."""
    for convolution in convolutions:
        nn.init.kaiming_normal_(convolution.weight, a=SLOPE)
    for layer in transposed:
        # a quarter of the kernel reaches each output pixel
        nn.init.normal_(layer.weight, 0, math.sqrt(2 / (1 + SLOPE**2) / (4 * len(layer.weight))))
    nn.init.normal_(last, 0, 0.03 / math.sqrt(4 * len(last)))


@torch.no_grad()
def start_as_pyramid(down: Sequence[Tensor], up: Sequence[Tensor], last: Tensor) -> None:
    """Let the first channels carry colors. Networks with too few channels stay unchanged.

    Args:
        down: weights (after, before, 4, 4) of the encoder, finest level first.
        up: weights (before, after, 4, 4) of the decoder, coarsest level first. Their inputs are the channels of the
            level itself, then those of the coarser one.
        last: weights of the last layer, which outputs the three colors.
    """
    if len(down[0]) < CARRIERS:
        return
    for level, weight in enumerate(down):
        weight[:CARRIERS], kernel = 0, averaging(level)
        for color in range(COLORS):
            for place, sign in ((color, 1.0), (color + COLORS, -1.0)):
                if level == 0:  # the fourth input channel is 1 in the known region
                    weight[place, color], weight[place, COLORS] = sign * kernel, -sign * kernel / 2
                else:
                    _connect(weight[place], color, sign * kernel)
    for step, weight in enumerate(up):
        weight[:, :CARRIERS], kernel = 0, 4 * averaging(len(up) - step)
        for color in range(COLORS):
            for place, sign in ((color, 1.0), (color + COLORS, -1.0)):
                _connect_both(weight[:, place], color, sign * kernel, coarsest=step == 0)
    for color in range(COLORS):
        _connect_both(last[:, color], color, 8 * averaging(0))  # (tanh(2x) + 1) / 2 is about x + 1/2


def _connect_both(weight: Tensor, color: int, kernel: Tensor, coarsest: bool = False) -> None:
    """Read a color from the carriers of a level and of the coarser level, whose channels follow."""
    if coarsest:
        _connect(weight, color, COARSER * kernel)
    else:
        _connect(weight, color, FINER * kernel)
        _connect(weight, color + len(weight) // 2, COARSER * kernel)


def _connect(weight: Tensor, first: int, kernel: Tensor) -> None:
    """Read the difference of two carriers: LeakyReLU(x) - LeakyReLU(-x) = (1 + slope) x."""
    weight[first], weight[first + COLORS] = kernel / (1 + SLOPE), -kernel / (1 + SLOPE)
