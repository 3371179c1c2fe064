"""The two-stage generator of DeepFill (Yu et al., 2018): a coarse result, then details from known patches."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from restore.plugins.inpaint_gan.attention import Attention
from restore.plugins.inpaint_gan.blocks import FullPrecisionConvolution, pad_by_repeating, scaled_kaiming_
from restore.plugins.inpaint_gan.gated import Convolution

Layers = OrderedDict[str, nn.Module]


class CoarseToFine(nn.Module):
    """A coarse stage fills the hole; a fine stage refines it with a generating and an attention branch.

    With the defaults it has the 3,601,542 parameters and the names of daa233/generative-inpainting-pytorch (MIT), whose
    weights need ``Attention(published=True)`` to give the same output. ``gated`` makes all convolutions but the last of
    each stage gated, as in DeepFill v2 (Yu et al., 2019). Images of any size are padded to a multiple of four times the
    attention's rate by repeating the edge, and cropped back.
    """

    def __init__(self, channels: int = 32, gated: bool = False, attention: Attention | None = None) -> None:
        super().__init__()
        if channels < 2 or channels % 2:
            raise ValueError(f"channels must be even, not {channels}")
        self.attention = attention if attention is not None else Attention()
        self.coarse_generator = nn.Sequential(
            _encoder("conv", [channels, 2 * channels, 2 * channels, 4 * channels, 4 * channels, 4 * channels], gated)
            | _dilate("conv", 4 * channels, gated)
            | _decoder("conv", 4 * channels, channels, gated)
        )
        self.fine_generator = _Fine(channels, gated, self.attention)

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the coarse and the fine image, both (B, 3, H, W) in [-1, 1] and complete, not only inside the hole.

        ``image`` is (B, 3, H, W) in [-1, 1]; ``mask`` is (B, 1, H, W), 1 inside the hole, where the image is not used.
        """
        height, width = image.shape[-2:]
        multiple = 4 * self.attention.rate
        size = (height + -height % multiple, width + -width % multiple)
        hole = pad_by_repeating(mask, *size)
        known = pad_by_repeating(image, *size) * (1 - hole)
        # The channel of ones separates the image from the zero padding of convolutions.
        planes = [torch.ones_like(hole), hole]
        coarse: Tensor = self.coarse_generator(torch.cat([known, *planes], dim=1))
        fine: Tensor = self.fine_generator(torch.cat([coarse * hole + known, *planes], dim=1), hole)
        return coarse[..., :height, :width], fine[..., :height, :width]


class _Fine(nn.Module):
    """The fine stage; its parts lie side by side under the names of the published code."""

    def __init__(self, channels: int, gated: bool, attention: Attention) -> None:
        super().__init__()
        full = 4 * channels
        inventing = _encoder("conv", [channels, channels, 2 * channels, 2 * channels, full, full], gated)
        inventing |= _dilate("conv", full, gated)
        matching = _encoder("pmconv", [channels, channels, 2 * channels, full, full, full], gated, last=nn.ReLU())
        pasting = Layers((f"pmconv{place}", Convolution(full, full, gated=gated)) for place in (9, 10))
        merging = _decoder("allconv", 2 * full, channels, gated)
        self.parts = [list(part) for part in (inventing, matching, pasting, merging)]
        for name, layer in (inventing | matching | pasting | merging).items():
            self.add_module(name, layer)
        self.attention = attention

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Return the image (B, 3, H, W) for the coarse image with its two extra channels (B, 5, H, W)."""
        inventing, matching, pasting, merging = self.parts
        invented = self._through(inventing, planes)  # (B, 4 width, H / 4, W / 4)
        attended = self.attention(self._through(matching, planes), hole)
        return self._through(merging, torch.cat([invented, self._through(pasting, attended)], dim=1))

    def _through(self, names: Sequence[str], x: Tensor) -> Tensor:
        for name in names:
            x = self.get_submodule(name)(x)
        return x


class _Colors(nn.Module):
    """Maps features to colors, clamped to [-1, 1]."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.conv = FullPrecisionConvolution(before, 3, 3, padding=1)
        scaled_kaiming_(self.conv, 0.5)  # starts well inside the limits, because the gradient is zero beyond them

    def forward(self, x: Tensor) -> Tensor:
        colors: Tensor = self.conv(x)
        return colors.clamp(-1, 1)


def _encoder(prefix: str, widths: Sequence[int], gated: bool, last: nn.Module | None = None) -> Layers:
    """Build six convolutions from an image with two extra channels to a quarter of its size."""
    layers = Layers()
    for place, (before, after) in enumerate(pairwise([5, *widths]), 1):
        halves = place in (2, 4)
        name = f"{prefix}{place}_downsample" if halves else f"{prefix}{place}"
        layers[name] = Convolution(
            before,
            after,
            size=5 if place == 1 else 3,
            stride=2 if halves else 1,
            gated=gated,
            activation=last if place == len(widths) else None,
        )
    return layers


def _dilate(prefix: str, channels: int, gated: bool) -> Layers:
    """Build four convolutions with growing dilation."""
    return Layers(
        (f"{prefix}{place}_atrous", Convolution(channels, channels, dilation=2 ** (place - 6), gated=gated))
        for place in range(7, 11)
    )


def _decoder(prefix: str, before: int, channels: int, gated: bool) -> Layers:
    """Build six convolutions back to full size, and one to colors."""
    layers = Layers()
    widths = [before, 4 * channels, 4 * channels, 2 * channels, 2 * channels, channels, channels // 2]
    for place, (inner, outer) in enumerate(pairwise(widths), 11):
        if place in (13, 15):
            layers[f"{prefix}{place}_upscaled"] = nn.Upsample(scale_factor=2)
        layers[f"{prefix}{place}"] = Convolution(inner, outer, gated=gated)
    layers[f"{prefix}17"] = _Colors(channels // 2)
    return layers
