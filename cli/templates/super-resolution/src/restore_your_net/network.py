"""The network. Replace it by yours: low-resolution images in, images ``scale`` times larger out."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from restore.core import Tiling


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, channels, H, W) to features of the same shape."""
        result: Tensor = features + self.body(features)
        return result


class YourNetNetwork(nn.Module):
    """Predicts detail with a sub-pixel convolution (Shi et al., 2016) and adds it to a bilinear upscaling.

    Args:
        scale: upscaling factor.
        channels: channels between the first layer and the last.
        blocks: number of residual blocks.
    """

    def __init__(self, scale: int = 2, channels: int = 24, blocks: int = 4) -> None:
        super().__init__()
        self.scale = scale
        self.tiling = Tiling("exact", halo=2 * blocks + 2)  # a pixel sees one more pixel for each convolution
        last = nn.Conv2d(channels, 3 * scale**2, 3, padding=1)
        nn.init.zeros_(last.weight)  # the untrained network is the bilinear upscaling
        self.detail = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1),
            *(ResidualBlock(channels) for _ in range(blocks)),
            last,
            nn.PixelShuffle(scale),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to images (B, 3, H x scale, W x scale), both in about [0, 1]."""
        upscaled = F.interpolate(images, scale_factor=self.scale, mode="bilinear", align_corners=False)
        result: Tensor = upscaled + self.detail(images)
        return result
