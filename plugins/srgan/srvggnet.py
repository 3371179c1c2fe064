"""SRVGGNetCompact, the small generator of Real-ESRGAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from restore.core.runtime.precision import in_full_precision
from restore.core.specs import Tiling
from restore.plugins.srgan.blocks import icnr_

Activation = Literal["prelu", "relu", "leaky-relu"]


class SRVGGNetCompact(nn.Module):
    """A chain of convolutions at the input's resolution, a pixel shuffle and the nearest pixel as base.

    Real-ESRGAN's ``realesr-general-x4v3`` (32 convolutions) and ``realesr-animevideov3`` (16) are such networks. It
    maps images (B, 3, H, W) in [0, 1] to (B, 3, H * scale, W * scale), not limited to [0, 1], and starts close to
    nearest-neighbor upscaling. Parameters have the names of Real-ESRGAN's files.

    Args:
        scale: any whole number.
        channels: channels of the hidden layers.
        convolutions: number of convolutions between the first and the last.
        activation: activation after every convolution but the last; leaky-relu has a slope of 0.1.
    """

    def __init__(
        self, scale: int = 4, channels: int = 64, convolutions: int = 16, activation: Activation = "prelu"
    ) -> None:
        super().__init__()
        self.scale = scale
        self.tiling = Tiling("exact", halo=convolutions + 2)
        layers: list[nn.Module] = []
        for before in (3, *[channels] * convolutions):
            layers += [nn.Conv2d(before, channels, 3, padding=1), _activation(activation, channels)]
        last = nn.Conv2d(channels, 3 * scale**2, 3, padding=1)
        icnr_(last, scale)
        last.weight.data.mul_(0.1)
        self.body = nn.Sequential(*layers, last)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, H * scale, W * scale)."""
        *layers, last = self.body
        features = x
        for layer in layers:
            features = layer(features)  # (B, C, H, W)
        detail = F.pixel_shuffle(in_full_precision(last, features), self.scale)
        return detail + F.interpolate(x, scale_factor=self.scale, mode="nearest")

    @property
    def export_formats(self) -> tuple[str, ...]:
        """Formats of ``restore export`` whose programs know the network: spandrel knows it by its PReLU."""
        return ("spandrel", "basicsr") if isinstance(self.body[1], nn.PReLU) else ("basicsr",)

    def export_state(self) -> Mapping[str, Tensor]:
        """Return the parameters, which have the published names."""
        return self.state_dict()


def _activation(name: Activation, channels: int) -> nn.Module:
    if name == "prelu":
        return nn.PReLU(channels)
    return nn.ReLU() if name == "relu" else nn.LeakyReLU(0.1)
