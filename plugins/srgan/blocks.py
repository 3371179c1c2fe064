"""Shared parts of the generators: sub-pixel upscaling and initialization."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STAGES = {1: (), 2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}
"""Factors of the sub-pixel stages for each scale."""


def stages(scale: int) -> tuple[int, ...]:
    """Return the factors of the sub-pixel stages that upscale by ``scale``. Raises ValueError for an unknown scale."""
    if scale not in STAGES:
        raise ValueError(f"scale {scale} is not one of {', '.join(map(str, STAGES))}")
    return STAGES[scale]


class SubPixel(nn.Module):
    """Upscale (B, C, H, W) to (B, ``after``, H * factor, W * factor) by rearranging channels (Shi et al., 2016).

    ``after`` defaults to ``channels``.
    """

    def __init__(self, channels: int, factor: int, activation: nn.Module, after: int | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, (after or channels) * factor**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(factor)
        self.activation = activation
        icnr_(self.conv, factor)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, ``after``, H * factor, W * factor)."""
        upscaled: Tensor = self.activation(self.shuffle(self.conv(x)))
        return upscaled


@torch.no_grad()
def icnr_(convolution: nn.Conv2d, factor: int) -> None:
    """Initialize a convolution before a pixel shuffle so that the output has no checkerboard pattern.

    ICNR (Aitken et al., 2017): the channels that form one block of pixels get equal weights, so before training the
    pixel shuffle is nearest-neighbor upscaling.
    """
    weight = convolution.weight
    one_of_block = torch.empty_like(weight[:: factor**2])
    nn.init.kaiming_normal_(one_of_block, a=0.1)
    weight.copy_(one_of_block.repeat_interleave(factor**2, dim=0))
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)


@torch.no_grad()
def scaled_kaiming_(convolution: nn.Conv2d, gain: float) -> None:
    """Initialize weights by He et al. (2015), times ``gain``, and biases with zero.

    A small gain keeps a deep sum of residuals close to the identity at first. Without batch normalization, networks
    train more easily this way (Wang et al., 2018, section 3.1).
    """
    nn.init.kaiming_normal_(convolution.weight)
    convolution.weight.mul_(gain)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
