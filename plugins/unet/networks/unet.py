"""U-Net (Ronneberger et al., 2015), in the form that the UNet++ authors compare with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restore.plugins.unet.networks.blocks import (
    DoubleConvolution,
    Logits,
    doubled,
    halved,
    on_multiples,
    widths_of_levels,
)


class UNet(nn.Module):
    """An encoder that halves the picture ``depth`` times and a decoder that joins each level with its skip.

    ``convI_0`` are the encoder's blocks, ``convI_J`` the decoder's; ``final`` gives one logit for each class. With the
    defaults 7,852,545 parameters. Inputs (B, input_channels, H, W) of any size, outputs (B, num_classes, H, W).
    """

    def __init__(self, num_classes: int = 1, input_channels: int = 3, width: int = 32, depth: int = 4) -> None:
        super().__init__()
        widths = widths_of_levels(width, depth)
        self.depth = depth
        for level, channels in enumerate(widths):
            before = widths[level - 1] if level else input_channels
            self.add_module(f"conv{level}_0", DoubleConvolution(before, channels, channels))
        for level in reversed(range(depth)):
            block = DoubleConvolution(widths[level] + widths[level + 1], widths[level], widths[level])
            self.add_module(f"conv{level}_{depth - level}", block)
        self.final = nn.Conv2d(widths[0], num_classes, 1)

    def forward(self, x: Tensor) -> Logits:
        """Logits (B, num_classes, H, W)."""
        return on_multiples(self._logits, x, 2**self.depth)

    def _logits(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level in range(self.depth + 1):
            x = self.get_submodule(f"conv{level}_0")(
                halved(x) if level else x
            )  # (B, width * 2**level, H / 2**level, …)
            skips.append(x)
        for level in reversed(range(self.depth)):
            x = self.get_submodule(f"conv{level}_{self.depth - level}")(torch.cat([skips[level], doubled(x)], dim=1))
        logits: Tensor = self.final(x)
        return logits
