"""The discriminator of SRGAN."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from einops import reduce
from torch import Tensor, nn

from restore.core.runtime.precision import in_full_precision


class ConvBlock(nn.Module):
    """Convolution, batch normalization (not in the first layer) and LeakyReLU 0.2."""

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
    """Separates photographs from upscaled images (Ledig et al., 2017, figure 4): eight convolutions, four strided.

    The published head (``dense``) has separate weights for every position of the crop: 23.6 million parameters for
    crops of 96 pixels, nearly all in the head. It accepts only images of ``crop_size`` x ``crop_size`` pixels. The
    ``pooled`` head averages over all positions first and accepts any size; for that crop its first layer has a 36th of
    the weights.

    The output (B, 1) is an unbounded score (a logit). ``sigmoid`` turns it into a probability, as in the article's
    listing. That is bad for training, because the gradient vanishes for confident outputs.

    Args:
        crop_size: side of the images in pixels, for the dense head.
        channels: channels of the first layer; the last has eight times as many.
        head: ``dense`` or ``pooled``.
        hidden: width of the hidden layer in the head.
        sigmoid: whether to apply a sigmoid to the score.
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
        side = -(-crop_size // 16)  # four strides of 2, each rounded up
        self.hidden = nn.Linear(widths[-1] * (side**2 if head == "dense" else 1), hidden)
        self.activation = nn.LeakyReLU(0.2)
        self.score = nn.Linear(hidden, 1)
        self.sigmoid = sigmoid

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to scores (B, 1). Raises ValueError for a size that the dense head does not accept."""
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
