"""The generators: SRResNet as published, MSRResNet without batch normalization, and a compact one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from restore.core.runtime.precision import in_full_precision
from restore.core.specs import Tiling
from restore.plugins.common.images.statistics import IMAGENET_MEAN, IMAGENET_STD
from restore.plugins.common.narrow_conv import NarrowConv2d
from restore.plugins.srgan.blocks import SubPixel, scaled_kaiming_, stages
from restore.plugins.srgan.layer_names import basicsr_names


def halo(ends: int, blocks: int, factors: tuple[int, ...], tail: int) -> int:
    """Return the radius of the receptive field in input pixels.

    Args:
        ends: radius of the convolutions before and after the body, at the input's size.
        blocks: number of residual blocks; each adds two pixels.
        factors: upscaling factors of the stages; each adds one pixel at its input's size.
        tail: radius of the last convolutions, at the output's size.
    """
    reach, size = float(ends + 2 * blocks), 1
    for factor in factors:
        reach += 1 / size
        size *= factor
    return math.ceil(reach + tail / size)


class NormalizedBlock(nn.Module):
    """Residual block of SRResNet: convolution, norm, PReLU, convolution, norm, sum (Ledig et al., 2017, figure 4)."""

    normalized_by: ClassVar[Mapping[str, str]] = {"conv1": "norm1", "conv2": "norm2"}
    """Maps each convolution to its normalization layer, which inference folds into it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.activation = nn.PReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        residual: Tensor = self.norm2(self.conv2(self.activation(self.norm1(self.conv1(x)))))
        return x + residual


class SRResNet(nn.Module):
    """SRResNet, the generator of SRGAN (Ledig et al., 2017, section 2.1.1), with batch normalization.

    It maps images (B, 3, H, W) in [0, 1] to (B, 3, H * scale, W * scale). The output is not limited to [0, 1], because
    a clamp inside the network has no gradient beyond its limits. ``clamp`` limits it nevertheless, ``tanh`` ends with
    (tanh + 1) / 2, and ``normalize`` normalizes the input by ImageNet's statistics: for checkpoints trained that way.
    Raises ValueError for a scale other than 1, 2, 3, 4 or 8.
    """

    normalized_by: ClassVar[Mapping[str, str]] = {"fusion": "norm"}
    """Maps each convolution to its normalization layer, which inference folds into it."""

    def __init__(
        self,
        scale: int = 4,
        channels: int = 64,
        blocks: int = 16,
        clamp: bool = False,
        tanh: bool = False,
        normalize: bool = False,
    ) -> None:
        super().__init__()
        factors = stages(scale)
        self.clamp, self.tanh, self.normalize = clamp, tanh, normalize
        self.tiling = Tiling("exact", halo=halo(4 + 1, blocks, factors, tail=4))
        self.first = nn.Conv2d(3, channels, 9, padding=4)
        self.activation = nn.PReLU()
        self.body = nn.Sequential(*(NormalizedBlock(channels) for _ in range(blocks)))
        self.fusion = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.upscale = nn.Sequential(*(SubPixel(channels, factor, nn.PReLU()) for factor in factors))
        self.last = NarrowConv2d(channels, 3, 9, padding=4)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, H * scale, W * scale)."""
        if self.normalize:
            mean, std = (x.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
            x = (x - mean) / std
        shallow = self.activation(self.first(x))  # (B, C, H, W)
        deep = shallow + self.norm(self.fusion(self.body(shallow)))
        image = in_full_precision(self.last, self.upscale(deep))
        if self.tanh:
            image = (torch.tanh(image) + 1) / 2
        return image.clamp(0, 1) if self.clamp else image


class PlainBlock(nn.Module):
    """Residual block of MSRResNet: convolution, ReLU, convolution, sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        scaled_kaiming_(self.conv1, 0.1)
        scaled_kaiming_(self.conv2, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        residual: Tensor = self.conv2(F.relu(self.conv1(x)))
        return x + residual


class MSRResNet(nn.Module):
    """SRResNet without batch normalization that adds detail to a bilinear upscaling (ESRGAN, 2018; BasicSR).

    It maps images (B, 3, H, W) in [0, 1] to (B, 3, H * scale, W * scale), not limited to [0, 1]. Because it only adds
    what bilinear upscaling lacks, it starts close to it and learns much faster than SRResNet. Raises ValueError for a
    scale other than 1, 2, 3, 4 or 8.
    """

    def __init__(self, scale: int = 4, channels: int = 64, blocks: int = 16) -> None:
        super().__init__()
        factors = stages(scale)
        self.scale = scale
        self.tiling = Tiling("exact", halo=halo(1, blocks, factors, tail=2))
        self.activation = nn.LeakyReLU(0.1)
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*(PlainBlock(channels) for _ in range(blocks)))
        self.upscale = nn.Sequential(*(SubPixel(channels, factor, nn.LeakyReLU(0.1)) for factor in factors))
        self.detail = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = NarrowConv2d(channels, 3, 3, padding=1)
        scaled_kaiming_(self.first, 1.0)
        scaled_kaiming_(self.detail, 1.0)
        scaled_kaiming_(self.last, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, H * scale, W * scale)."""
        features = self.upscale(self.body(self.activation(self.first(x))))  # (B, C, H * scale, W * scale)
        detail = in_full_precision(self.last, self.activation(self.detail(features)))
        base = F.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return base + detail

    @property
    def export_formats(self) -> tuple[str, ...]:
        """Formats of ``restore export`` whose programs know the network: BasicSR has it for three scales."""
        return ("basicsr",) if self.scale in (2, 3, 4) else ()

    def export_state(self) -> Mapping[str, Tensor]:
        """Return the parameters by the names of BasicSR's MSRResNet."""
        return basicsr_names(self.state_dict())


class CompactBlock(nn.Module):
    """Residual block of the compact generator: convolution and PReLU twice, then the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.activation1 = nn.PReLU(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.activation2 = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        residual: Tensor = self.activation2(self.conv2(self.activation1(self.conv1(x))))
        return x + residual


class Compact(nn.Module):
    """A generator for small machines: it computes mostly at the input's size and little at the output's.

    Residual blocks with PReLU are followed by sub-pixel stages, each of which halves the channels. With the defaults it
    needs a 19th of MSRResNet's multiplications. The last convolution runs at the output's size: a network that ends
    with the pixel shuffle draws patterns with the period of the shuffle as soon as a discriminator asks for detail.

    It maps images (B, 3, H, W) in [0, 1] to (B, 3, H * scale, W * scale), not limited to [0, 1], and starts close to
    bilinear upscaling. Raises ValueError for a scale other than 1, 2, 3, 4 or 8.
    """

    def __init__(self, scale: int = 4, channels: int = 32, blocks: int = 5) -> None:
        super().__init__()
        factors = stages(scale)
        widths = [max(4, channels >> stage) for stage in range(len(factors) + 1)]
        widths[0] = channels
        self.scale = scale
        self.tiling = Tiling("exact", halo=halo(1, blocks, factors, tail=1))
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.activation = nn.PReLU(channels)
        self.body = nn.Sequential(*(CompactBlock(channels) for _ in range(blocks)))
        self.upscale = nn.Sequential(
            *(
                SubPixel(before, factor, nn.PReLU(), after)
                for factor, (before, after) in zip(factors, pairwise(widths), strict=True)
            )
        )
        self.last = nn.Conv2d(widths[-1], 3, 3, padding=1)
        scaled_kaiming_(self.last, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, H * scale, W * scale)."""
        shallow = self.activation(self.first(x))  # (B, C, H, W)
        features = self.upscale(shallow + self.body(shallow))  # (B, C / 2^stages, H * scale, W * scale)
        detail = in_full_precision(self.last, features)
        base = F.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return base + detail
