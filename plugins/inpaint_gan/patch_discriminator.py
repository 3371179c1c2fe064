"""Discriminators that judge every patch of a picture (Isola et al., 2017), at one scale or several."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, overload

from torch import Tensor, nn
from torch.nn import functional as F

from restore.plugins.inpaint_gan.blocks import FullPrecisionConvolution, Norm, bounded, normalisation, start_normal


class PatchDiscriminator(nn.Module):
    """PatchGAN: each score sees one patch, of 70x70 pixels with three ``layers``, and scores overlap.

    With six ``input_channels`` and the defaults these are the 2,768,705 parameters and the names of the published
    network. ``layers`` counts the halvings; two more convolutions follow. ``spectral`` divides every weight by its
    largest singular value (Miyato et al., 2018), so that the scores change no faster than the picture: a power
    iteration of one step goes with each forward in training.
    """

    def __init__(
        self, input_channels: int, width: int = 64, layers: int = 3, norm: Norm = "batch", spectral: bool = False
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"a patch discriminator needs at least 1 layer, not {layers}")
        widths = [width * 2 ** min(layer, 3) for layer in range(layers + 1)]
        stages: list[nn.Module] = [nn.Conv2d(input_channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for place, (before, after) in enumerate(pairwise(widths), 1):
            stride = 2 if place < layers else 1
            stages += [
                nn.Conv2d(before, after, 4, stride, padding=1, bias=norm == "none"),
                normalisation(norm, after),
                nn.LeakyReLU(0.2),
            ]
        stages.append(FullPrecisionConvolution(widths[-1], 1, 4, padding=1))
        self.model = nn.Sequential(*stages)
        self.smallest = smallest_side(layers)
        start_normal(self)
        if spectral:
            bounded(self)

    @overload
    def forward(self, x: Tensor, features: Literal[False] = False) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, features: Literal[True]) -> tuple[Tensor, list[Tensor]]: ...
    def forward(self, x: Tensor, features: bool = False) -> Tensor | tuple[Tensor, list[Tensor]]:
        """Scores (B, 1, h, w) without limits, of pictures (B, input_channels, H, W); h is about H / 2^layers.

        With ``features`` also what follows each LeakyReLU, for feature matching, finest first. ValueError for a
        picture with a side below :func:`smallest_side`, which leaves no place for a score.
        """
        height, width = x.shape[-2:]
        if min(height, width) < self.smallest:
            raise ValueError(
                f"this discriminator judges at least {self.smallest} pixels a side, not {width} x {height}"
            )
        found = []
        for layer in self.model:
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                found.append(x)
        return (x, found) if features else x


class MultiScaleDiscriminator(nn.Module):
    """Patch discriminators for the picture at full, half, quarter size and so on (Wang et al., 2018, pix2pixHD)."""

    def __init__(
        self,
        input_channels: int,
        width: int = 64,
        layers: int = 3,
        norm: Norm = "batch",
        spectral: bool = False,
        scales: int = 2,
    ) -> None:
        super().__init__()
        if scales < 1:
            raise ValueError(f"a multi-scale discriminator needs at least 1 scale, not {scales}")
        self.scales = nn.ModuleList(
            PatchDiscriminator(input_channels, width, layers, norm, spectral) for _ in range(scales)
        )

    @overload
    def forward(self, x: Tensor, features: Literal[False] = False) -> list[Tensor]: ...
    @overload
    def forward(self, x: Tensor, features: Literal[True]) -> tuple[list[Tensor], list[Tensor]]: ...
    def forward(self, x: Tensor, features: bool = False) -> list[Tensor] | tuple[list[Tensor], list[Tensor]]:
        """A map of scores (B, 1, h, w) for each scale, largest first; with ``features`` also those of all scales.

        Losses are to be taken of each map and averaged, so that each scale has the same say.
        """
        scores, found = [], []
        for discriminator in self.scales:
            judged, seen = discriminator(x, features=True)
            scores.append(judged)
            found += seen
            # Padding does not count, otherwise the border would get darker from scale to scale.
            x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        return (scores, found) if features else scores


def smallest_side(layers: int, scales: int = 1) -> int:
    """The shortest side in pixels that a (multi-scale) discriminator with so many layers can judge."""
    # The two convolutions after the halvings take one place each, and one has to be left at the coarsest scale.
    return 3 << (layers + scales - 1)
