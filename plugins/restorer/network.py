"""DnCNN."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore.core.specs import Tiling
from restore.plugins.common.narrow_conv import NarrowConv2d

MOST_DILATED = 4
"""Largest dilation of a convolution, as in IRCNN."""


class DnCNN(nn.Module):
    """Predicts the noise in an image and subtracts it (Zhang et al., 2017, section III).

    It maps images (B, 3, H, W) in [0, 1] to the same shape, not limited to [0, 1]. The last convolution starts small,
    so that the network starts close to the identity.

    Args:
        channels: channels of the hidden layers.
        depth: number of convolutions, each of 3 x 3 pixels.
        batch_norm: whether all layers except the first and the last are normalized, as published.
        dilated: whether the convolutions are dilated by 1, 2, 3, 4, …, 4, 3, 2, 1 pixels, as in IRCNN (Zhang et al.,
            *Learning Deep CNN Denoiser Prior for Image Restoration*, 2017): a pixel sees farther at the same cost.
    """

    def __init__(self, channels: int = 64, depth: int = 17, batch_norm: bool = True, dilated: bool = False) -> None:
        super().__init__()
        steps = [min(place + 1, depth - place, MOST_DILATED) if dilated else 1 for place in range(depth)]
        self.tiling = Tiling("exact", halo=sum(steps))
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*(layer for step in steps[1:-1] for layer in _block(channels, batch_norm, step)))
        self.last = NarrowConv2d(channels, 3, 3, padding=1)
        for convolution in (module for module in self.modules() if isinstance(module, nn.Conv2d)):
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            if convolution.bias is not None:
                nn.init.zeros_(convolution.bias)
        with torch.no_grad():
            self.last.weight.mul_(0.1)

    @override
    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to the same shape."""
        noise: Tensor = self.last(self.body(torch.relu(self.first(images))))
        return images - noise


def _block(channels: int, batch_norm: bool, dilation: int) -> Iterator[nn.Module]:
    yield nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=not batch_norm)
    if batch_norm:
        yield nn.BatchNorm2d(channels)
    yield nn.ReLU(inplace=True)
