"""RRDBNet, the generator of ESRGAN and Real-ESRGAN."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from restore.core.runtime.precision import in_full_precision
from restore.core.specs import Tiling
from restore.plugins.common.narrow_conv import NarrowConv2d
from restore.plugins.srgan.blocks import scaled_kaiming_, stages

RESIDUAL = 0.2
"""Factor of every residual (Wang et al., 2018, section 3.1)."""

LARGEST_EXACT_HALO = 64
"""Halo up to which tiles are computed exactly; a larger one costs more than it is worth, and tiles are cross-faded."""

FADE = 32
"""Halo of cross-faded tiles in pixels of the input."""

SHUFFLED = {1: 4, 2: 2}
"""Factor of the pixel unshuffle before the network, by scale; larger scales have none."""


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees the outputs of all before it (Wang et al., 2018, figure 4)."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        for place in range(1, 6):
            after = growth if place < 5 else channels
            convolution = nn.Conv2d(channels + (place - 1) * growth, after, 3, padding=1)
            scaled_kaiming_(convolution, 0.1)
            self.add_module(f"conv{place}", convolution)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        seen = [x]
        for convolution in list(self.children())[:-1]:
            seen.append(F.leaky_relu(convolution(torch.cat(seen, dim=1)), 0.2))
        residual: Tensor = self.get_submodule("conv5")(torch.cat(seen, dim=1))
        return x + RESIDUAL * residual


class ResidualInResidual(nn.Module):
    """Three dense blocks and a sum: RRDB (Wang et al., 2018, figure 4)."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = DenseBlock(channels, growth)
        self.rdb2 = DenseBlock(channels, growth)
        self.rdb3 = DenseBlock(channels, growth)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        residual: Tensor = self.rdb3(self.rdb2(self.rdb1(x)))
        return x + RESIDUAL * residual


class RRDBNet(nn.Module):
    """The generator of ESRGAN (Wang et al., 2018, section 3.1) and Real-ESRGAN (Wang et al., 2021, section 3.4).

    It maps images (B, 3, H, W) in [0, 1] to (B, 3, H * scale, W * scale), not limited to [0, 1]. It has no bilinear
    base: it starts with images that are nearly black, and short trainings suit it less than the other generators.
    Parameters have the names of BasicSR's files.

    Real-ESRGAN computes scales 1 and 2 with the network of scale 4, on an input whose pixels were moved into channels
    (pixel unshuffle). Sides that the unshuffle does not divide are padded inside and cropped again.

    Args:
        scale: 1, 2, 3, 4 or 8.
        channels: channels of the blocks.
        blocks: number of blocks of three dense blocks each.
        growth: channels that each convolution of a dense block adds.
        unshuffle: whether scales 1 and 2 use the pixel unshuffle; older files of these scales upscale less instead.

    Raises:
        ValueError: another scale.
    """

    def __init__(
        self, scale: int = 4, channels: int = 64, blocks: int = 23, growth: int = 32, unshuffle: bool = True
    ) -> None:
        super().__init__()
        self.scale, self.growth = scale, growth
        self.shuffled = SHUFFLED.get(scale, 1) if unshuffle else 1
        self.factors = stages(scale * self.shuffled)
        self.tiling = _tiling(blocks, self.factors, self.shuffled)
        self.conv_first = nn.Conv2d(3 * self.shuffled**2, channels, 3, padding=1)
        self.body = nn.Sequential(*(ResidualInResidual(channels, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(channels, channels, 3, padding=1)
        for number in range(1, len(self.factors) + 1):
            self.add_module(f"conv_up{number}", nn.Conv2d(channels, channels, 3, padding=1))
        self.conv_hr = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_last = NarrowConv2d(channels, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, H * scale, W * scale)."""
        height, width = x.shape[-2:]
        if self.shuffled > 1:
            x = F.pad(x, (0, -width % self.shuffled, 0, -height % self.shuffled), mode="replicate")
            x = F.pixel_unshuffle(x, self.shuffled)
        shallow = self.conv_first(x)  # (B, C, H / shuffled, W / shuffled)
        features = shallow + self.conv_body(self.body(shallow))
        for number, factor in enumerate(self.factors, start=1):
            larger = F.interpolate(features, scale_factor=factor, mode="nearest")
            features = F.leaky_relu(self.get_submodule(f"conv_up{number}")(larger), 0.2)
        image = in_full_precision(self.conv_last, F.leaky_relu(self.conv_hr(features), 0.2))
        return image[..., : height * self.scale, : width * self.scale]

    @property
    def export_formats(self) -> tuple[str, ...]:
        """Formats of ``restore export`` whose programs know the network.

        spandrel has dense blocks that grow by 32 channels, and no scale of 3; BasicSR has two upscaling layers.
        """
        spandrel = ("spandrel",) if self.growth == 32 and self.scale != 3 else ()
        return (*spandrel, "basicsr") if len(self.factors) == 2 else spandrel

    def export_state(self) -> Mapping[str, Tensor]:
        """Return the parameters, which have the published names."""
        return self.state_dict()


def _tiling(blocks: int, factors: tuple[int, ...], shuffled: int) -> Tiling:
    """Return exact tiles if a pixel sees few pixels; each block adds 15 at the size of the body."""
    reach, size = 2.0 + 15 * blocks, 1
    for factor in factors:
        size *= factor
        reach += 1 / size
    halo = shuffled * math.ceil(reach + 2 / size)
    if halo <= LARGEST_EXACT_HALO:
        return Tiling("exact", halo=halo, multiple_of=shuffled)
    return Tiling("blend", halo=FADE, multiple_of=shuffled)
