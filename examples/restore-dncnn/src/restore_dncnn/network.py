"""The network of DnCNN, section III of the paper."""

from __future__ import annotations

from torch import Tensor, nn

from restore.core import Tiling


class CDnCNN(nn.Module):
    """DnCNN for color images: it predicts the noise of an image and subtracts it.

    Args:
        channels: channels of the hidden layers.
        depth: number of convolutions, each of 3 x 3 pixels.
    """

    def __init__(self, channels: int = 64, depth: int = 20) -> None:
        super().__init__()
        self.tiling = Tiling("exact", halo=depth)  # a pixel sees one more pixel for each convolution
        self.noise = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), nn.ReLU())
        for _ in range(depth - 2):
            convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)  # normalization has its own bias
            self.noise.extend([convolution, nn.BatchNorm2d(channels), nn.ReLU()])
        self.noise.append(nn.Conv2d(channels, 3, 3, padding=1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, noisy: Tensor) -> Tensor:
        """Map noisy images (B, 3, H, W) to clean ones of the same shape, both in about [0, 1]."""
        clean: Tensor = noisy - self.noise(noisy)
        return clean
