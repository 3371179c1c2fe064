"""The network. Replace it by yours: images in, one map of logits for each class out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core import Tiling


def block(inputs: int, outputs: int) -> nn.Sequential:
    """Make a convolution with normalization and activation."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class YourNetNetwork(nn.Module):
    """A U-Net of three levels (Ronneberger et al., 2015) with one convolution per level.

    Args:
        input_channels: channels of an image.
        num_classes: number of classes.
        channels: channels of the first level.
    """

    def __init__(self, input_channels: int = 3, num_classes: int = 1, channels: int = 12) -> None:
        super().__init__()
        self.tiling = Tiling("exact", halo=20, multiple_of=4)  # how far a pixel sees; images are halved twice
        self.fine = block(input_channels, channels)
        self.middle = block(channels, 2 * channels)
        self.coarse = block(2 * channels, 4 * channels)
        self.up_middle = block(6 * channels, 2 * channels)
        self.up_fine = block(3 * channels, channels)
        self.head = nn.Conv2d(channels, num_classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, input_channels, H, W) in [0, 1] to logits (B, num_classes, H, W); 4 divides H and W."""
        fine = self.fine(images)
        middle = self.middle(F.max_pool2d(fine, 2))
        coarse = self.coarse(F.max_pool2d(middle, 2))
        middle = self.up_middle(torch.cat([middle, F.interpolate(coarse, scale_factor=2)], dim=1))
        fine = self.up_fine(torch.cat([fine, F.interpolate(middle, scale_factor=2)], dim=1))
        logits: Tensor = self.head(fine)
        return logits
