"""Shared parts of the networks: normalization, initialization, padding, and full-precision layers."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from restore.core.runtime.precision import at_least_float32

Norm = Literal["batch", "instance", "none"]
"""Normalization of features. A gradient penalty forbids batch normalization, which mixes samples."""


def normalization(norm: Norm, channels: int) -> nn.Module:
    """Return a normalization layer; instance normalization has no parameters, as in pix2pix."""
    match norm:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "instance":
            return nn.InstanceNorm2d(channels)
        case "none":
            return nn.Identity()


@torch.no_grad()
def start_normal(network: nn.Module, deviation: float = 0.02) -> None:
    """Draw all weights from N(0, deviation), those of batch normalization around one, and set biases to zero.

    Isola et al., 2017, section 6.2.
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
    """Draw weights that keep the variance of a signal from layer to layer (He et al., 2015), and set biases to zero.

    Without normalization, weights of a fixed deviation let the signal fade, and the inner layers learn nothing for a
    long time. The weights of the last convolution are multiplied by ``last``, so that its output starts near zero.
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
    """Draw weights whose output has ``gain`` times the standard deviation of the input, and set biases to zero."""
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="linear")
    convolution.weight.mul_(gain)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)


def normalize_spectrally(network: nn.Module) -> None:
    """Apply spectral normalization to all convolutions and linear layers (Miyato et al., 2018).

    Each weight is divided by an estimate of its largest singular value, so the output changes no faster than the input,
    up to the overlap of convolutions. Each forward pass in training improves the estimate by one power iteration.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            spectral_norm(module)


def pad_by_repeating(x: Tensor, height: int, width: int) -> Tensor:
    """Pad ``x`` (B, C, h, w) to (B, C, height, width) by repeating its right and lower edge."""
    below, right = height - x.shape[-2], width - x.shape[-1]
    return F.pad(x, (0, right, 0, below), mode="replicate") if below or right else x


class FullPrecisionConvolution(nn.Conv2d):
    """A convolution outside autocast: the 8 bits of bfloat16 are too few for the colors of an image."""

    def forward(self, x: Tensor) -> Tensor:
        """Compute the convolution in at least float32."""
        with torch.autocast(device_type=x.device.type, enabled=False):
            return super().forward(at_least_float32(x))


class FullPrecisionTransposedConvolution(nn.ConvTranspose2d):
    """A transposed convolution outside autocast, for the same reason."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Compute the transposed convolution in at least float32."""
        with torch.autocast(device_type=x.device.type, enabled=False):
            return super().forward(at_least_float32(x), output_size)


class FullPrecisionLinear(nn.Linear):
    """A linear layer outside autocast, for scores."""

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer in at least float32."""
        with torch.autocast(device_type=x.device.type, enabled=False):
            return super().forward(at_least_float32(x))
