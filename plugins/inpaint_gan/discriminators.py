"""Discriminators: PatchGAN (Isola et al., 2017), and the local and global pair of DeepFill (Yu et al., 2018)."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import Literal, overload

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.runtime.precision import at_least_float32
from restore.plugins.inpaint_gan.blocks import (
    FullPrecisionConvolution,
    FullPrecisionLinear,
    Norm,
    normalization,
    normalize_spectrally,
    scaled_kaiming_,
    start_normal,
)

HALVINGS = 4
"""Number of halvings in the discriminators of a local-global pair."""
Scores = tuple[Tensor, Tensor]
"""Scores of the local parts and of the whole images, (B, 1) each."""


class LocalGlobalDiscriminator(nn.Module):
    """A discriminator of the hole with its surroundings and one of the whole image, without shared weights.

    ``local_side`` and ``whole_side`` are their image sides in pixels; see `ImageDiscriminator`.
    """

    def __init__(
        self,
        local_side: int = 128,
        whole_side: int = 256,
        input_channels: int = 3,
        channels: int = 64,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        self.local = ImageDiscriminator(local_side, input_channels, channels, spectral)
        self.whole = ImageDiscriminator(whole_side, input_channels, channels, spectral)

    @overload
    def forward(self, local: Tensor, whole: Tensor, features: Literal[False] = False) -> Scores: ...
    @overload
    def forward(self, local: Tensor, whole: Tensor, features: Literal[True]) -> tuple[Scores, list[Tensor]]: ...
    def forward(self, local: Tensor, whole: Tensor, features: bool = False) -> Scores | tuple[Scores, list[Tensor]]:
        """Return unbounded scores (B, 1) of local parts (B, C, h, w) and of whole images (B, C, H, W).

        With ``features`` also the features of every convolution, those of the local discriminator first.
        """
        local_score, local_features = self.local(local, features=True)
        whole_score, whole_features = self.whole(whole, features=True)
        scores = (local_score, whole_score)
        return (scores, local_features + whole_features) if features else scores


class ImageDiscriminator(nn.Module):
    """Four convolutions of stride 2 and a fully connected layer: one score per image.

    For a ``side`` of 128 or 256 pixels it has the 2,684,289 or 2,733,441 parameters, and the names, of the local and
    the global discriminator of daa233/generative-inpainting-pytorch (MIT). For images of another size, features are
    averaged to that number of positions. Samples are independent, so a gradient penalty is possible.
    """

    def __init__(self, side: int, input_channels: int = 3, channels: int = 64, spectral: bool = False) -> None:
        super().__init__()
        widths = [input_channels, channels, 2 * channels, 4 * channels, 4 * channels]
        self.dis_conv_module = nn.Sequential(
            OrderedDict((f"conv{place}", _Halving(*pair)) for place, pair in enumerate(pairwise(widths), 1))
        )
        self.places = -(-side // 2**HALVINGS)
        self.linear = FullPrecisionLinear(widths[-1] * self.places**2, 1)
        if spectral:
            normalize_spectrally(self)

    @overload
    def forward(self, x: Tensor, features: Literal[False] = False) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, features: Literal[True]) -> tuple[Tensor, list[Tensor]]: ...
    def forward(self, x: Tensor, features: bool = False) -> Tensor | tuple[Tensor, list[Tensor]]:
        """Return unbounded scores (B, 1) of images (B, input_channels, H, W), with ``features`` also the features."""
        found = []
        for halving in self.dis_conv_module:
            x = halving(x)
            found.append(x)
        if x.shape[-2:] != (self.places, self.places):
            x = average_pool(x, self.places)
        score: Tensor = self.linear(x.flatten(1))
        return (score, found) if features else score


def average_pool(x: Tensor, places: int) -> Tensor:
    """Average ``x`` (B, C, H, W) to ``places`` x ``places`` positions, in at least float32.

    The result is that of torch's adaptive average pooling, which has no deterministic gradient on CUDA; matrix products
    have one.
    """
    with torch.autocast(x.device.type, enabled=False):
        x = at_least_float32(x)
        rows, columns = (_averaging(places, length).to(x.dtype).to(x.device) for length in x.shape[-2:])
        return rows @ x @ columns.T


def _averaging(places: int, length: int) -> Tensor:
    """Return the matrix (places, length) that averages over equal parts of the length, each rounded outwards."""
    place, step = torch.arange(places)[:, None], torch.arange(length)
    inside = (step >= place * length // places) & (step < -(-(place + 1) * length // places))
    return inside.double() / inside.sum(1, keepdim=True)


class _Halving(nn.Module):
    """Convolution of stride 2 and LeakyReLU 0.2."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 5, stride=2, padding=2)
        scaled_kaiming_(self.conv, nn.init.calculate_gain("leaky_relu", 0.2))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(x), 0.2)


class PatchDiscriminator(nn.Module):
    """PatchGAN: each score sees one patch, of 70x70 pixels with three ``layers``; patches overlap.

    With six ``input_channels`` and the defaults it has the 2,768,705 parameters and the names of the published network.

    Args:
        input_channels: channels of the input.
        channels: channels of the first layer.
        layers: number of convolutions with stride 2; two more convolutions follow.
        norm: normalization.
        spectral: whether to divide each weight by its largest singular value (Miyato et al., 2018), so that scores
            change no faster than the image; each forward pass in training does one power iteration.
    """

    def __init__(
        self, input_channels: int, channels: int = 64, layers: int = 3, norm: Norm = "batch", spectral: bool = False
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"a patch discriminator needs at least 1 layer, not {layers}")
        widths = [channels * 2 ** min(layer, 3) for layer in range(layers + 1)]
        stages: list[nn.Module] = [nn.Conv2d(input_channels, channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for place, (before, after) in enumerate(pairwise(widths), 1):
            stride = 2 if place < layers else 1
            stages += [
                nn.Conv2d(before, after, 4, stride, padding=1, bias=norm == "none"),
                normalization(norm, after),
                nn.LeakyReLU(0.2),
            ]
        stages.append(FullPrecisionConvolution(widths[-1], 1, 4, padding=1))
        self.model = nn.Sequential(*stages)
        self.smallest = smallest_side(layers)
        start_normal(self)
        if spectral:
            normalize_spectrally(self)

    @overload
    def forward(self, x: Tensor, features: Literal[False] = False) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, features: Literal[True]) -> tuple[Tensor, list[Tensor]]: ...
    def forward(self, x: Tensor, features: bool = False) -> Tensor | tuple[Tensor, list[Tensor]]:
        """Return unbounded scores (B, 1, h, w) of images (B, input_channels, H, W); h is about H / 2^layers.

        With ``features`` also the output of each LeakyReLU, for feature matching, finest first. Raises ValueError for
        an image with a side shorter than `smallest_side`.
        """
        height, width = x.shape[-2:]
        if min(height, width) < self.smallest:
            raise ValueError(f"this discriminator needs at least {self.smallest} pixels a side, not {width} x {height}")
        found = []
        for layer in self.model:
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                found.append(x)
        return (x, found) if features else x


class MultiScaleDiscriminator(nn.Module):
    """Patch discriminators of the image at full, half, quarter size and so on (Wang et al., 2018, pix2pixHD)."""

    def __init__(
        self,
        input_channels: int,
        channels: int = 64,
        layers: int = 3,
        norm: Norm = "batch",
        spectral: bool = False,
        scales: int = 2,
    ) -> None:
        super().__init__()
        if scales < 1:
            raise ValueError(f"a multi-scale discriminator needs at least 1 scale, not {scales}")
        self.scales = nn.ModuleList(
            PatchDiscriminator(input_channels, channels, layers, norm, spectral) for _ in range(scales)
        )

    @overload
    def forward(self, x: Tensor, features: Literal[False] = False) -> list[Tensor]: ...
    @overload
    def forward(self, x: Tensor, features: Literal[True]) -> tuple[list[Tensor], list[Tensor]]: ...
    def forward(self, x: Tensor, features: bool = False) -> list[Tensor] | tuple[list[Tensor], list[Tensor]]:
        """Return a score map (B, 1, h, w) per scale, largest first; with ``features`` also the features of all scales.

        Compute the loss of each map and average, so that all scales count equally.
        """
        scores, found = [], []
        for discriminator in self.scales:
            score_map, seen = discriminator(x, features=True)
            scores.append(score_map)
            found += seen
            # Without the padding, or borders would get darker from scale to scale.
            x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        return (scores, found) if features else scores


def smallest_side(layers: int, scales: int = 1) -> int:
    """Return the shortest image side in pixels that a (multi-scale) discriminator with ``layers`` layers accepts."""
    # The last two convolutions take one position each, and one must be left at the coarsest scale.
    return 3 << (layers + scales - 1)
