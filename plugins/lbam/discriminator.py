"""The two-column discriminator of LBAM."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from restore.core.inference.padding import pad
from restore.core.runtime.precision import in_full_precision

LEVELS = 6
"""Number of halvings of height and width in a column."""
PUBLISHED_SIDE = 256
"""Height and width that the published discriminator accepts, in pixels."""


class Discriminator(nn.Module):
    """Scores the known region and the hole, each with a column of its own (Xie et al., 2019, section 3.4).

    Like a Wasserstein critic it returns an unbounded score per image, independent of other images and of the image
    size: the features of both columns are averaged over all positions before the last layer. ``published`` builds the
    network of the published code instead, for comparisons. Its batch normalization and its sigmoid conflict with the
    gradient penalty and the loss that it is trained with, and it accepts only 256 x 256 pixels.
    """

    def __init__(self, channels: int = 64, published: bool = False, crop_size: int | None = None) -> None:  # noqa: ARG002
        super().__init__()
        self.published = published
        self.known, self.hole = column(channels, published), column(channels, published)
        side = PUBLISHED_SIDE // 2**LEVELS if published else 1
        self.score = nn.Conv2d(2 * 8 * channels, 1, side)
        if not published:  # with torch's initialization the signal, and so the gradient, fades over six levels
            for layer in self.modules():
                if isinstance(layer, nn.Conv2d):
                    nn.init.kaiming_normal_(layer.weight, a=0.2)

    def forward(self, images: Tensor, holes: Tensor) -> Tensor:
        """Images (B, 3, H, W) in [0, 1] and masks (B, 1, H, W), 1 inside the hole, to scores (B, 1).

        Raises ValueError for a size that the published network does not accept.
        """
        height, width = images.shape[-2:]
        if self.published and (height, width) != (PUBLISHED_SIDE, PUBLISHED_SIDE):
            raise ValueError(f"the published discriminator needs 256 x 256 pixels, not {width} x {height}")
        if not self.published:
            images, holes = (at_least(plane, 2**LEVELS) for plane in (images, holes))
        features = torch.cat([self.known(images * (1 - holes)), self.hole(images * holes)], 1)
        if not self.published:
            features = features.mean((2, 3), keepdim=True)
        scores = in_full_precision(self.score, features).flatten(1)
        return torch.sigmoid(scores) if self.published else scores


def column(channels: int, norm: bool) -> nn.Sequential:
    """Build six convolutions of stride 2 with LeakyReLU 0.2: (B, 3, H, W) to (B, 8 * channels, H / 64, W / 64).

    ``norm`` adds batch normalization from the second convolution on.
    """
    widths = [3, *(channels * min(2**level, 8) for level in range(LEVELS))]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1))
        if norm and before != 3:
            layers.append(nn.BatchNorm2d(after))
        layers.append(nn.LeakyReLU(0.2))
    return nn.Sequential(*layers)


def at_least(planes: Tensor, side: int) -> Tensor:
    """Pad planes (B, C, H, W) by reflection at the right and the bottom to at least ``side`` pixels."""
    height, width = (max(length, side) for length in planes.shape[-2:])
    return pad(planes.flatten(0, 1), height, width, "reflect").reshape(*planes.shape[:2], height, width)
