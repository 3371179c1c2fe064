"""Parts that the generators share: upscaling by sub-pixels, starting values, and colors at full precision."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STAGES = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}
"""Scale to the factors of the sub-pixel stages that reach it one after another."""


def stages(scale: int) -> tuple[int, ...]:
    """Factors of the sub-pixel stages that upscale by ``scale``; ValueError for a scale that has none."""
    if scale not in STAGES:
        raise ValueError(f"scale {scale} is not one of {', '.join(map(str, STAGES))}")
    return STAGES[scale]


class SubPixel(nn.Module):
    """Upscale (B, C, H, W) to (B, ``after``, H x factor, W x factor) by rearranging channels (Shi et al., 2016).

    ``after`` channels are as many as before where they are not given.
    """

    def __init__(self, channels: int, factor: int, activation: nn.Module, after: int | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, (after or channels) * factor**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(factor)
        self.activation = activation
        icnr_(self.conv, factor)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, ``after``, H x factor, W x factor)."""
        upscaled: Tensor = self.activation(self.shuffle(self.conv(x)))
        return upscaled


@torch.no_grad()
def icnr_(convolution: nn.Conv2d, factor: int) -> None:
    """Give the channels that become one block of pixels equal weights, so that no checkerboard has to be unlearned.

    ICNR (Aitken et al., 2017): before training, the pixel shuffle is an upscaling by nearest neighbor.
    """
    weight = convolution.weight
    one_of_block = torch.empty_like(weight[:: factor**2])
    nn.init.kaiming_normal_(one_of_block, a=0.1)
    weight.copy_(one_of_block.repeat_interleave(factor**2, dim=0))
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)


@torch.no_grad()
def scaled_kaiming_(convolution: nn.Conv2d, gain: float) -> None:
    """Start from He's weights times a gain; a small one keeps a deep sum of residuals near the identity at first.

    Wang et al. (2018, section 3.1) found networks without batch normalization easier to train so.
    """
    nn.init.kaiming_normal_(convolution.weight)
    convolution.weight.mul_(gain)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
