"""The convolutions of coarse-to-fine generators: with an activation, or gated."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

KEPT_BY_ELU = 0.645
"""E[ELU(z)^2] of a standard normal z."""
KEPT_BY_GATE = 0.293
"""E[sigmoid(z)^2] of a standard normal z."""


class Convolution(nn.Module):
    """A convolution that keeps height and width (over the stride, rounded up), and an activation.

    ``gated``: twice the channels are computed, and one half, under a sigmoid, decides place by place how much of the
    other passes (Yu et al., 2019, "Free-form image inpainting with gated convolution", section 3.1), so that
    the network learns where the hole is instead of being told once.
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
        self._start()

    @torch.no_grad()
    def _start(self) -> None:
        """Weights under which features keep about their variance through many layers without normalisation."""
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="linear")
        nn.init.zeros_(self.conv.bias)
        features = self.conv.weight.chunk(2)[0] if self.gated else self.conv.weight
        features.mul_(1 / math.sqrt(KEPT_BY_ELU * (KEPT_BY_GATE if self.gated else 1)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) to (B, after, H / stride, W / stride)."""
        y: Tensor = self.conv(x)
        if not self.gated:
            passed: Tensor = self.activation(y)
            return passed
        features, gates = y.chunk(2, dim=1)
        return self.activation(features) * torch.sigmoid(gates)
