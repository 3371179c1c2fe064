"""Convolutions of the coarse-to-fine generators: plain or gated."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from restore.plugins.inpaint_gan.blocks import scaled_kaiming_

KEPT_BY_ELU = 0.645
"""E[ELU(z)^2] of a standard normal z."""
KEPT_BY_GATE = 0.293
"""E[sigmoid(z)^2] of a standard normal z."""


class Convolution(nn.Module):
    """A convolution that keeps height and width (divided by the stride, rounded up), with an activation.

    ``gated`` computes twice the channels; one half, after a sigmoid, decides at each position how much of the other
    passes (Yu et al., 2019, "Free-form image inpainting with gated convolution", section 3.1). So the network learns
    where the hole is.
    """

    def __init__(
        self,
        before: int,
        after: int,
        size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        gated: bool = False,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        padding = dilation * (size - 1) // 2
        self.conv = nn.Conv2d(before, 2 * after if gated else after, size, stride, padding, dilation)
        self.activation = activation if activation is not None else nn.ELU()
        self.gated = gated
        scaled_kaiming_(self.conv, 1.0)
        with torch.no_grad():
            # Features then roughly keep their variance through many layers without normalization.
            self.conv.weight[:after].div_(math.sqrt(KEPT_BY_ELU * (KEPT_BY_GATE if gated else 1)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) to (B, after, H / stride, W / stride)."""
        computed: Tensor = self.conv(x)
        features, *gates = computed.chunk(2, dim=1) if self.gated else [computed]
        y: Tensor = self.activation(features)
        return y * torch.sigmoid(gates[0]) if gates else y
