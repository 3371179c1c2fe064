"""The discriminator of SRGAN."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from einops import reduce
from torch import Tensor, nn

from restore.core.runtime.precision import in_full_precision


class ConvBlock(nn.Module):
    """A convolution, batch normalization (but in the first layer) and LeakyReLU 0.2."""

    def __init__(self, before: int, after: int, stride: int, norm: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 3, stride, padding=1, bias=not norm)
        self.norm = nn.BatchNorm2d(after) if norm else nn.Identity()
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) to (B, after, H / stride, W / stride), rounded up."""
        y: Tensor = self.activation(self.norm(self.conv(x)))
        return y


class Discriminator(nn.Module):
    """Tell photographs from upscaled images (Ledig et al., 2017, figure 4): eight convolutions, four of them halving.

    ``channels`` is the width of the first layer, the last has eight times as many. With the published head
    (``dense``) every place of the crop has its own weights: 23.6 million parameters for 96-pixel crops, nearly all of
    them in the head, and it accepts images of ``crop_size`` x ``crop_size`` pixels alone. The ``pooled`` head averages
    over all places first, accepts any size, and has a 36th of the weights in its first layer at that crop.

    The answer (B, 1) is a score without limits (a logit); ``sigmoid`` makes it a probability, as in the article's
    listing, which is not good to train with: its gradient vanishes for confident answers.
    """

    def __init__(
        self,
        crop_size: int = 96,
        channels: int = 64,
        head: Literal["dense", "pooled"] = "dense",
        hidden: int = 1024,
        sigmoid: bool = False,
    ) -> None:
        super().__init__()
        widths = [channels * 2**level for level in range(4)]
        layers = [ConvBlock(3, channels, 1, norm=False), ConvBlock(channels, channels, 2)]
        for before, after in pairwise(widths):
            layers += [ConvBlock(before, after, 1), ConvBlock(after, after, 2)]
        self.features = nn.Sequential(*layers)
        self.head = head
        self.crop_size = crop_size
        side = -(-crop_size // 16)  # four halvings, each rounded up
        self.hidden = nn.Linear(widths[-1] * (side**2 if head == "dense" else 1), hidden)
        self.activation = nn.LeakyReLU(0.2)
        self.score = nn.Linear(hidden, 1)
        self.sigmoid = sigmoid

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to scores (B, 1); ValueError for another size than the dense head was made for."""
        if self.head == "dense" and x.shape[-2:] != (self.crop_size, self.crop_size):
            height, width = x.shape[-2:]
            raise ValueError(
                f"this discriminator needs {self.crop_size} x {self.crop_size} pixels, not {width} x {height}"
            )
        features = self.features(x)  # (B, 8 C, H / 16, W / 16)
        if self.head == "pooled":
            features = reduce(features, "b c h w -> b c 1 1", "mean")
        score = in_full_precision(self.score, self.activation(self.hidden(features.flatten(1))))
        return torch.sigmoid(score) if self.sigmoid else score
