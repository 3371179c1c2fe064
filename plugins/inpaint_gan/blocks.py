"""What the networks of this family share: normalization, starting values, sizes, and colors at full precision."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from restore.core.runtime.precision import at_least_float32

Norm = Literal["batch", "instance", "none"]
"""How features are normalized. Under a gradient penalty samples must not see each other: no batch normalization."""


def normalization(norm: Norm, channels: int) -> nn.Module:
    """The layer that normalizes so many channels; instance normalization has nothing to learn, as in pix2pix."""
    match norm:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "instance":
            return nn.InstanceNorm2d(channels)
        case "none":
            return nn.Identity()


@torch.no_grad()
def start_normal(network: nn.Module, deviation: float = 0.02) -> None:
    """Draw all weights around zero, those of batch normalization around one, and set biases to zero.

    Isola et al., 2017, section 6.2, with their deviation.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, deviation)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, deviation)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)


@torch.no_grad()
def start_unnormalized(network: nn.Module, last: float = 0.05) -> None:
    """Draw weights that keep a signal's size from layer to layer (He et al., 2015), and set biases to zero.

    Without normalization weights of a fixed deviation let it fade, so that the layers inside learn nothing for long.
    The last convolution gets ``last`` times as much: what it draws begins near nothing.
    """
    convolution: nn.Conv2d | nn.ConvTranspose2d | None = None
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, a=0.2)
        elif isinstance(module, nn.ConvTranspose2d):
            reached = module.weight.numel() // (module.weight.shape[1] * math.prod(module.stride))
            nn.init.normal_(module.weight, 0.0, math.sqrt(2 / reached))
        else:
            continue
        convolution = module
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if convolution is not None:
        convolution.weight.mul_(last)


@torch.no_grad()
def scaled_kaiming_(convolution: nn.Conv2d, gain: float) -> None:
    """Draw weights whose answer has ``gain`` times the deviation of what comes in, and set biases to zero."""
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="linear")
    convolution.weight.mul_(gain)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)


def bounded(network: nn.Module) -> None:
    """Divide the weight of each convolution and linear layer by an estimate of its largest singular value.

    Spectral normalization (Miyato et al., 2018): the network's answer then changes no faster than its input, up to the
    overlap of convolutions. Each forward in training improves the estimate by one step of a power iteration.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            spectral_norm(module)


def continued(x: Tensor, height: int, width: int) -> Tensor:
    """``x`` (B, C, h, w) as (B, C, height, width): repeated at its right and lower border; itself where it is right."""
    below, right = height - x.shape[-2], width - x.shape[-1]
    return F.pad(x, (0, right, 0, below), mode="replicate") if below or right else x


class FullPrecisionConvolution(nn.Conv2d):
    """A convolution outside autocast: the 8 bits of bfloat16 are too few for the colors of an image."""

    def forward(self, x: Tensor) -> Tensor:
        """As the convolution, in float32 at least."""
        with torch.autocast(device_type=x.device.type, enabled=False):
            return super().forward(at_least_float32(x))


class FullPrecisionTransposedConvolution(nn.ConvTranspose2d):
    """A transposed convolution outside autocast, for the same reason."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """As the transposed convolution, in float32 at least."""
        with torch.autocast(device_type=x.device.type, enabled=False):
            return super().forward(at_least_float32(x), output_size)


class FullPrecisionLinear(nn.Linear):
    """A linear layer outside autocast: what decides a score."""

    def forward(self, x: Tensor) -> Tensor:
        """As the layer, in float32 at least."""
        with torch.autocast(device_type=x.device.type, enabled=False):
            return super().forward(at_least_float32(x))
