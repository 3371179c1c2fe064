"""Weights that the generator starts from: it begins as an image pyramid that fills holes from around them.

Three pairs of channels of every level carry the colors of that level: averaged on the way down, interpolated on the
way up. Each color is carried once positive and once negative, since their difference passes LeakyReLU unchanged but
for a factor, and is counted from gray, so that what is unknown counts as nothing. Attention does the rest: in the hole
the forward maps silence the finer level and the reverse maps pass on the coarser one. All other weights are drawn, and
make of this what training wants.

From the published start, weights drawn around zero with a deviation of 0.02, attention is a few percent everywhere, and
the deeper levels stay silent for hundreds of steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

SLOPE = 0.2
"""Of LeakyReLU for negative values."""

COLORS = 3
CARRIERS = 2 * COLORS
"""Channels that carry colors: each once positive and, three further, once negative."""

FINER, COARSER = 0.4, 0.9
"""Shares of a level and of the coarser ones in the colors on the way up, before attention."""

COARSE = 4
"""Level, from 0, from which on averages are taken over two pixels a side: smoother ones would reach over the border of
maps that are hardly larger, and take the zeros there for gray."""


def averaging(level: int) -> Tensor:
    """The kernel (4, 4), of sum one, by which a level begins to average the finer one."""
    weights = torch.tensor([0.0, 1.0, 1.0, 0.0] if level >= COARSE else [0.25, 0.75, 0.75, 0.25])
    return torch.outer(weights, weights) / 4


@torch.no_grad()
def start_drawn(convolutions: Sequence[nn.Conv2d], transposed: Sequence[nn.ConvTranspose2d], last: Tensor) -> None:
    """Draw weights that keep a signal's size from level to level (He et al., 2015); ``last`` gets a tenth of that."""
    for convolution in convolutions:
        nn.init.kaiming_normal_(convolution.weight, a=SLOPE)
    for layer in transposed:
        # every output pixel is reached by a quarter of the kernel
        nn.init.normal_(layer.weight, 0, math.sqrt(2 / (1 + SLOPE**2) / (4 * len(layer.weight))))
    nn.init.normal_(last, 0, 0.03 / math.sqrt(4 * len(last)))


@torch.no_grad()
def start_as_pyramid(down: Sequence[Tensor], up: Sequence[Tensor], last: Tensor) -> None:
    """Let the first channels carry colors, in networks with enough channels; in others nothing is changed.

    ``down`` are the weights (after, before, 4, 4) from the finest level on, ``up`` those (before, after, 4, 4) from the
    coarsest on, whose input is the level's own channels and then the coarser one's; ``last`` gives the three colors.
    """
    if len(down[0]) < CARRIERS:
        return
    for level, weight in enumerate(down):
        weight[:CARRIERS], kernel = 0, averaging(level)
        for color in range(COLORS):
            for place, sign in ((color, 1.0), (color + COLORS, -1.0)):
                if level == 0:  # the fourth channel says what is known
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
    """Read a color from the carriers of a level and of the coarser ones, whose channels follow."""
    if coarsest:
        _connect(weight, color, COARSER * kernel)
    else:
        _connect(weight, color, FINER * kernel)
        _connect(weight, color + len(weight) // 2, COARSER * kernel)


def _connect(weight: Tensor, first: int, kernel: Tensor) -> None:
    """Read the difference of two carriers: LeakyReLU of x less that of -x is (1 + slope) x."""
    weight[first], weight[first + COLORS] = kernel / (1 + SLOPE), -kernel / (1 + SLOPE)
