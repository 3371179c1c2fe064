"""The networks of pix2pix, section 6.1 of the paper."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restore.core import Tiling


class Level(nn.Module):
    """From ``outer`` channels to ``inner`` ones at half the size, the next level if any, and back beside the input."""

    def __init__(self, outer: int, inner: int, inside: list[Level], *, dropout: bool) -> None:
        super().__init__()
        norm = [nn.BatchNorm2d(inner)] * len(inside)  # a single pixel has nothing to be normalized by
        self.path = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1), *norm, *inside, nn.ReLU())
        self.path.append(nn.ConvTranspose2d(2 * inner if inside else inner, outer, 4, 2, 1))
        self.path.extend([nn.BatchNorm2d(outer), nn.Dropout(0.5 if dropout else 0.0)])

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, outer, H, W) to (B, 2 x outer, H, W)."""
        return torch.cat([features, self.path(features)], dim=1)


class UNetGenerator(nn.Module):
    """U-Net with skip connections. Dropout, its source of randomness, is off outside of training.

    Args:
        channels: channels of the first level; they double up to eight times as many.
        depth: number of halvings.
    """

    def __init__(self, channels: int = 64, depth: int = 6) -> None:
        super().__init__()
        self.tiling = Tiling("blend", halo=2**depth, multiple_of=2**depth)
        widths, levels = [channels * min(8, 2**level) for level in range(depth)], list[Level]()
        for level in reversed(range(1, depth)):
            levels.append(Level(widths[level - 1], widths[level], levels[-1:], dropout=level >= depth - 3))
        self.body = nn.Sequential(nn.Conv2d(3, channels, 4, 2, 1), *levels[-1:], nn.ReLU())
        self.body.extend([nn.ConvTranspose2d(2 * channels, 3, 4, 2, 1), nn.Tanh()])

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) in [0, 1], sides multiples of 2^depth, to images of the same shape in [0, 1]."""
        drawn: Tensor = self.body(2 * images - 1)
        return (drawn + 1) / 2


def build_discriminator(channels: int) -> nn.Sequential:
    """Build a PatchGAN: images and their translations (B, 6, H, W) to logits, one for each patch of 70 x 70 pixels."""
    layers = nn.Sequential(nn.Conv2d(6, channels, 4, 2, 1), nn.LeakyReLU(0.2))
    for before, after, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
        layers.append(nn.Conv2d(before * channels, after * channels, 4, stride, 1))
        layers.extend([nn.BatchNorm2d(after * channels), nn.LeakyReLU(0.2)])
    return layers.append(nn.Conv2d(8 * channels, 1, 4, 1, 1))
