"""DRUNet."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from restore.core.specs import Tiling
from restore.plugins.common.narrow_conv import NarrowConv2d


class ResidualBlock(nn.Module):
    """Convolution, ReLU, convolution, sum, without biases."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        residual: Tensor = self.conv2(F.relu(self.conv1(x)))
        return x + residual


class DRUNet(nn.Module):
    """A U-Net of residual blocks without biases (Zhang et al., 2021, section III), without its map of the noise.

    It maps images (B, 3, H, W) in [0, 1], with H and W multiples of ``2 ** (scales - 1)``, to the same shape, not
    limited to [0, 1]. Here it predicts what has to be added to the input, and residuals start small, so that a short
    training starts close to the identity.

    Args:
        channels: channels at full resolution; they double at each scale.
        blocks: residual blocks at each scale, on the way down and on the way up.
        scales: number of resolutions.
    """

    def __init__(self, channels: int = 64, blocks: int = 4, scales: int = 4) -> None:
        super().__init__()
        widths = [channels << scale for scale in range(scales)]
        step = 1 << (scales - 1)
        # at each scale both ways: two pixels of that scale for each block, and what halving and doubling add
        reach = 2 + sum((2 if scale < scales - 1 else 1) * 2 * blocks << scale for scale in range(scales)) + 2 * step
        self.tiling = Tiling("exact", halo=-(-reach // step) * step, multiple_of=step)
        self.first = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        self.encoder = nn.ModuleList(_stage(width, blocks) for width in widths)
        self.decoder = nn.ModuleList(_stage(width, blocks) for width in widths[:-1])
        pairs = [(width, 2 * width) for width in widths[:-1]]
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2, bias=False) for fine, coarse in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2, bias=False) for fine, coarse in pairs)
        self.last = NarrowConv2d(channels, 3, 3, padding=1, bias=False)
        self._initialize()

    @override
    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to the same shape."""
        x = self.first(images)
        skipped = []
        for stage, down in zip(self.encoder, [*self.down, None], strict=True):
            x = stage(x)
            if down is not None:
                skipped.append(x)
                x = down(x)
        for stage, up in zip(reversed(self.decoder), reversed(self.up), strict=True):
            x = stage(up(x) + skipped.pop())
        change: Tensor = self.last(x)
        return images + change

    @torch.no_grad()
    def _initialize(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            if isinstance(module, ResidualBlock):
                nn.init.kaiming_normal_(module.conv1.weight, nonlinearity="relu")
        for small in (self.last, *(block.conv2 for block in self.modules() if isinstance(block, ResidualBlock))):
            small.weight.mul_(0.1)


def _stage(channels: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
