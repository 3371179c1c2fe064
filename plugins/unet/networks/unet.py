"""U-Net (Ronneberger et al., 2015), in the form that the UNet++ authors compare with, and UNet++ (Zhou et al.,
2018)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.specs import Tiling

Logits = Tensor | list[Tensor]
"""Logits (B, classes, H, W), or a list with those of each head."""


class DoubleConvolution(nn.Module):
    """Two times 3x3 convolution, batch normalization and ReLU; height and width stay the same."""

    normalized_by: ClassVar[Mapping[str, str]] = {"conv1": "bn1", "conv2": "bn2"}
    """Maps each convolution to its normalization layer, which inference folds into it."""

    def __init__(self, in_channels: int, middle_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, middle_channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(middle_channels)
        self.conv2 = nn.Conv2d(middle_channels, out_channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, out_channels, H, W)."""
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


def widths_of_levels(channels: int, depth: int) -> list[int]:
    """Return the channels of each level, finest first; they double from level to level."""
    if channels < 1 or depth < 1:
        raise ValueError(f"width and depth are at least 1, not {channels} and {depth}")
    return [channels * 2**level for level in range(depth + 1)]


def downsample(x: Tensor) -> Tensor:
    """Halve height and width by 2x2 max pooling."""
    return F.max_pool2d(x, 2)


def upsample(x: Tensor) -> Tensor:
    """Double height and width bilinearly, with aligned corners."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


def on_multiples(network: Callable[[Tensor], Logits], x: Tensor, multiple: int) -> Logits:
    """Run a network that halves its input on images of any size.

    Images (B, C, H, W) are padded at the right and the bottom to a multiple by repeating their edges; logits are
    cropped to (H, W).
    """
    height, width = x.shape[-2:]
    below, right = -height % multiple, -width % multiple
    if not below and not right:
        return network(x)
    logits = network(F.pad(x, (0, right, 0, below), mode="replicate"))
    if isinstance(logits, list):
        return [head[..., :height, :width] for head in logits]
    return logits[..., :height, :width]


def tiling(depth: int) -> Tiling:
    """Return how images may be cut for a network that halves them ``depth`` times.

    The first two levels see less than the margin of 64 pixels, the coarser ones more, which cross-fading hides.
    """
    return Tiling("blend", halo=64, multiple_of=2**depth)


class UNet(nn.Module):
    """U-Net: an encoder that halves the image ``depth`` times and a decoder with a skip connection at each level.

    ``convI_0`` are the encoder's blocks, ``convI_J`` the decoder's; ``final`` returns one logit per class. With the
    defaults it has 7,852,545 parameters. It maps (B, input_channels, H, W) of any size to (B, num_classes, H, W).
    """

    def __init__(self, num_classes: int = 1, input_channels: int = 3, channels: int = 32, depth: int = 4) -> None:
        super().__init__()
        widths = widths_of_levels(channels, depth)
        self.depth = depth
        self.tiling = tiling(depth)
        for level, after in enumerate(widths):
            before = widths[level - 1] if level else input_channels
            self.add_module(f"conv{level}_0", DoubleConvolution(before, after, after))
        for level in reversed(range(depth)):
            block = DoubleConvolution(widths[level] + widths[level + 1], widths[level], widths[level])
            self.add_module(f"conv{level}_{depth - level}", block)
        self.final = nn.Conv2d(widths[0], num_classes, 1)

    def forward(self, x: Tensor) -> Logits:
        """Return logits (B, num_classes, H, W)."""
        return on_multiples(self._logits, x, 2**self.depth)

    def _logits(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level in range(self.depth + 1):
            x = self.get_submodule(f"conv{level}_0")(
                downsample(x) if level else x
            )  # (B, width * 2**level, H / 2**level, …)
            skips.append(x)
        for level in reversed(range(self.depth)):
            x = self.get_submodule(f"conv{level}_{self.depth - level}")(torch.cat([skips[level], upsample(x)], dim=1))
        logits: Tensor = self.final(x)
        return logits


class NestedUNet(nn.Module):
    """UNet++: nodes X[i][j] = block(X[i][0], …, X[i][j-1], up(X[i+1][j-1])), equation 1 of the paper.

    ``convI_J`` is the block of node X[i][j] with i + j <= depth. Without deep supervision, X[0][depth] alone has a head
    (``final``). With it, every X[0][j] has a head ``finalJ``, and ``forward`` returns a list of their logits, coarsest
    first. With the defaults it has 9,163,329 parameters. Inputs are (B, input_channels, H, W) of any size.
    """

    def __init__(
        self,
        num_classes: int = 1,
        input_channels: int = 3,
        channels: int = 32,
        depth: int = 4,
        deep_supervision: bool = False,
    ) -> None:
        super().__init__()
        widths = widths_of_levels(channels, depth)
        self.num_classes = num_classes
        self.input_channels = input_channels
        self.channels = channels
        self.depth = depth
        self.tiling = tiling(depth)
        self.deep_supervision = deep_supervision
        for level, after in enumerate(widths):
            before = widths[level - 1] if level else input_channels
            self.add_module(f"conv{level}_0", DoubleConvolution(before, after, after))
        for column in range(1, depth + 1):
            for level in range(depth - column + 1):
                joined = column * widths[level] + widths[level + 1]
                block = DoubleConvolution(joined, widths[level], widths[level])
                self.add_module(f"conv{level}_{column}", block)
        for name in self.heads:
            self.add_module(name, nn.Conv2d(widths[0], num_classes, 1))

    @property
    def heads(self) -> list[str]:
        """Names of the 1x1 convolutions that return logits; the last one gives the result."""
        return [f"final{column}" for column in range(1, self.depth + 1)] if self.deep_supervision else ["final"]

    def forward(self, x: Tensor) -> Logits:
        """Return logits (B, num_classes, H, W), or a list of them with deep supervision."""
        return on_multiples(self._logits, x, 2**self.depth)

    def _logits(self, x: Tensor) -> Logits:
        row_of: list[list[Tensor]] = []  # row_of[i] holds X[i][0], X[i][1], … as far as they are computed
        for diagonal in range(self.depth + 1):
            below = downsample(row_of[-1][0]) if row_of else x
            row_of.append([self.get_submodule(f"conv{diagonal}_0")(below)])
            for level in reversed(range(diagonal)):
                column = diagonal - level
                joined = torch.cat([*row_of[level], upsample(row_of[level + 1][column - 1])], dim=1)
                row_of[level].append(self.get_submodule(f"conv{level}_{column}")(joined))
        if self.deep_supervision:
            return [self.get_submodule(f"final{column}")(row_of[0][column]) for column in range(1, self.depth + 1)]
        logits: Tensor = self.get_submodule("final")(row_of[0][self.depth])
        return logits

    def prune(self, level: int) -> NestedUNet:
        """Return the part that head ``level`` needs, as a network of its own (section 3.3 of the paper: L1 to L4).

        It has depth ``level`` and returns exactly the logits of that head; parameters are shared. Sizes that are not
        multiples of 2**depth are padded less than in the whole network, which changes the right and lower border.
        Raises ValueError if the network has no such head.
        """
        if level == self.depth:
            head = self.heads[-1]
        elif self.deep_supervision and 1 <= level < self.depth:
            head = f"final{level}"
        else:
            known = f"L1 to L{self.depth}" if self.deep_supervision else f"only L{self.depth}, without deep supervision"
            raise ValueError(f"no head at level {level}; this network has {known}")
        part = NestedUNet(self.num_classes, self.input_channels, self.channels, level)
        for name, _ in list(part.named_children()):
            part.add_module(name, self.get_submodule(head if name == "final" else name))
        return part.train(self.training)
