"""The network. Replace it by yours: degraded images in, restored images of the same size out."""

from __future__ import annotations

from torch import Tensor, nn

from restore.core import Tiling


class DenoiseNetwork(nn.Module):
    """Predicts the noise in an image and subtracts it (Zhang et al., 2017, section III), without batch normalization.

    Args:
        channels: channels between the first layer and the last.
        depth: number of convolutions.
    """

    def __init__(self, channels: int = 24, depth: int = 6) -> None:
        super().__init__()
        self.tiling = Tiling("exact", halo=depth)  # a pixel sees one more pixel for each convolution
        middle = (layer for _ in range(depth - 2) for layer in (nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU()))
        self.noise = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1), nn.ReLU(), *middle, nn.Conv2d(channels, 3, 3, padding=1)
        )

    def forward(self, noisy: Tensor) -> Tensor:
        """Map noisy images (B, 3, H, W) to clean images of the same shape, both in about [0, 1]."""
        clean: Tensor = noisy - self.noise(noisy)
        return clean
