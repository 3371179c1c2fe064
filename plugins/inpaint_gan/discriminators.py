"""The two critics of DeepFill (Yu et al., 2018): one judges the filled place, the other the whole picture."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import Literal, overload

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.machine.precision import at_least_float32
from restore.plugins.inpaint_gan.blocks import FullPrecisionLinear, bounded, start_scaled

HALVINGS = 4
"""How often a critic halves its picture."""
Scores = tuple[Tensor, Tensor]
"""Of the local parts and of the whole pictures, (B, 1) each."""


class LocalGlobalCritic(nn.Module):
    """A critic of the hole with its surroundings and one of the whole picture, which share nothing.

    ``local_side`` and ``whole_side`` are the sides in pixels that they are made for; see :class:`Critic`.
    """

    def __init__(
        self,
        local_side: int = 128,
        whole_side: int = 256,
        input_channels: int = 3,
        width: int = 64,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        self.local = Critic(local_side, input_channels, width, spectral)
        self.whole = Critic(whole_side, input_channels, width, spectral)

    @overload
    def forward(self, local: Tensor, whole: Tensor, features: Literal[False] = False) -> Scores: ...
    @overload
    def forward(self, local: Tensor, whole: Tensor, features: Literal[True]) -> tuple[Scores, list[Tensor]]: ...
    def forward(self, local: Tensor, whole: Tensor, features: bool = False) -> Scores | tuple[Scores, list[Tensor]]:
        """Scores (B, 1) without limits of local parts (B, C, h, w), and of whole pictures (B, C, H, W).

        With ``features`` also what every convolution answered, those of the local critic first.
        """
        local_score, local_features = self.local(local, features=True)
        whole_score, whole_features = self.whole(whole, features=True)
        scores = (local_score, whole_score)
        return (scores, local_features + whole_features) if features else scores


class Critic(nn.Module):
    """Four convolutions that halve the picture, and a weight for each place and channel: one score for all of it.

    Made for 128 or 256 pixels a ``side`` it has the 2,684,289 or 2,733,441 parameters, and the names, of the local and
    the global critic of daa233/generative-inpainting-pytorch (MIT). Pictures of another size are judged by the mean
    of their features around each place. Samples do not see each other, so that the slope can be penalised.
    """

    def __init__(self, side: int, input_channels: int = 3, width: int = 64, spectral: bool = False) -> None:
        super().__init__()
        widths = [input_channels, width, 2 * width, 4 * width, 4 * width]
        self.dis_conv_module = nn.Sequential(
            OrderedDict((f"conv{place}", _Halving(*channels)) for place, channels in enumerate(pairwise(widths), 1))
        )
        self.places = -(-side // 2**HALVINGS)
        self.linear = FullPrecisionLinear(widths[-1] * self.places**2, 1)
        if spectral:
            bounded(self)

    @overload
    def forward(self, x: Tensor, features: Literal[False] = False) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, features: Literal[True]) -> tuple[Tensor, list[Tensor]]: ...
    def forward(self, x: Tensor, features: bool = False) -> Tensor | tuple[Tensor, list[Tensor]]:
        """Scores (B, 1) without limits of pictures (B, input_channels, H, W), and with ``features`` those too."""
        found = []
        for halving in self.dis_conv_module:
            x = halving(x)
            found.append(x)
        if x.shape[-2:] != (self.places, self.places):
            x = averaged(x, self.places)
        score: Tensor = self.linear(x.flatten(1))
        return (score, found) if features else score


def averaged(x: Tensor, places: int) -> Tensor:
    """Means of ``x`` (B, C, H, W) around ``places`` x ``places`` places, in float32 at least.

    The numbers of torch's adaptive average pooling, which has no deterministic gradient on CUDA, and refuses where that
    is asked for; products of matrices have one.
    """
    with torch.autocast(x.device.type, enabled=False):
        x = at_least_float32(x)
        rows, columns = (_averaging(places, length).to(x.dtype).to(x.device) for length in x.shape[-2:])
        return rows @ x @ columns.T


def _averaging(places: int, length: int) -> Tensor:
    """The matrix (places, length) whose rows take the means: over equal parts of the length, each rounded outwards."""
    place, step = torch.arange(places)[:, None], torch.arange(length)
    inside = (step >= place * length // places) & (step < -(-(place + 1) * length // places))
    return inside.double() / inside.sum(1, keepdim=True)


class _Halving(nn.Module):
    """A convolution of stride 2 and LeakyReLU 0.2."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 5, stride=2, padding=2)
        start_scaled(self.conv, nn.init.calculate_gain("leaky_relu", 0.2))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(x), 0.2)
