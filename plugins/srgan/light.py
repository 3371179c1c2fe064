"""The light generator: what two CPU cores can train in hours and use in seconds."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from restore.core.runtime.precision import in_full_precision
from restore.core.specs import Tiling
from restore.plugins.srgan.blocks import scaled_kaiming_, stages


class LightBlock(nn.Module):
    """Residual block without normalization: convolution, PReLU, convolution, sum (after EDSR, Lim et al., 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.activation = nn.PReLU(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        scaled_kaiming_(self.conv2, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        residual: Tensor = self.conv2(self.activation(self.conv1(x)))
        return x + residual


class Light(nn.Module):
    """Residual blocks at the input's size and one sub-pixel convolution; adds detail to a bilinear upscaling.

    The last convolution makes all pixels of the output at the input's size (Shi et al., 2016), so that nothing is
    computed at the output's size. This is the cheapest network for its PSNR on a CPU. For training with a
    discriminator, ``srgan/compact`` is better: there, a network that ends with the pixel shuffle draws patterns.

    It maps images (B, 3, H, W) in [0, 1] to (B, 3, H * scale, W * scale), not limited to [0, 1], and starts as bilinear
    upscaling. Raises ValueError for a scale other than 1, 2, 3, 4 or 8.
    """

    def __init__(self, scale: int = 4, channels: int = 48, blocks: int = 6) -> None:
        super().__init__()
        stages(scale)
        self.scale = scale
        self.tiling = Tiling("exact", halo=2 + 2 * blocks)
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*(LightBlock(channels) for _ in range(blocks)))
        self.last = nn.Conv2d(channels, 3 * scale**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(scale)
        scaled_kaiming_(self.last, 0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, H * scale, W * scale)."""
        shallow = self.first(x)  # (B, C, H, W)
        detail: Tensor = self.shuffle(in_full_precision(self.last, shallow + self.body(shallow)))
        base = F.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return base + detail
