"""The generator of LBAM: a U-Net whose features are weighted by learned attention maps of the mask."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.inference.padding import padded
from restore.core.runtime.precision import in_full_precision
from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.lbam.attention import AsymmetricGaussian, MapConvolution, doubling, halving
from restore.plugins.lbam.init import SLOPE, averaging, start_as_pyramid, start_drawn
from restore.plugins.lbam.settings import Prefill

LEVELS = 7
"""How often height and width are halved."""
MULTIPLE_OF = 2**LEVELS
"""What height and width are padded to a multiple of."""


class Encoder(nn.Module):
    """One level down: a convolution of the features, weighted by the attention of a convolution of the mask."""

    def __init__(self, before: int, after: int, mask_before: int) -> None:
        super().__init__()
        self.features = halving(before, after)
        self.attention = MapConvolution(mask_before, after, AsymmetricGaussian(1.1, 2.0, 1.0, 1.0))

    def forward(self, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features (B, C, H, W) and mask, one where known, to four of half the size.

        The weighted features, the next mask, and for the decoder the bare features and the attention.
        """
        bare = self.features(x)
        attention, known = self.attention(known)
        return F.leaky_relu(bare * attention, SLOPE), known, bare, attention


class Generator(nn.Module):
    """Fill holes by learnable bidirectional attention maps (Xie et al., 2019, figure 2).

    Forward maps, from the mask of what is known, weigh the encoder's features; reverse maps, from the mask of the hole,
    those of the decoder, so that it attends to the hole. ``channels`` is the number of channels of the first level,
    eight times as many in the deepest four; 64 is the published network with 68,304,948 parameters. Nothing is
    normalized.

    As published (``prefill="none"``) it is shown black in the hole and answers with the whole image. With ``smooth`` it
    is shown a smooth continuation there, to which its answer is added inside the hole; elsewhere the image stays.
    """

    def __init__(self, channels: int = 64, prefill: Prefill = "none") -> None:
        super().__init__()
        self.prefill = prefill
        widths = [channels * min(2**level, 8) for level in range(LEVELS)]
        ups = widths[-2::-1]
        encoder = [Encoder(4, channels, 3), *(Encoder(before, after, before) for before, after in pairwise(widths))]
        reverse = [
            MapConvolution(before, after, AsymmetricGaussian(1.1, 1.0, 0.5, 0.5))
            for before, after in pairwise([3, *widths[:-1]])
        ]
        decoder = list(map(doubling, [widths[-1], *(2 * up for up in ups[:-1])], ups))
        last = doubling(2 * channels, 3)
        start(encoder, reverse, decoder, last, pyramid=prefill == "none")
        self.encoder, self.reverse = nn.ModuleList(encoder), nn.ModuleList(reverse)
        self.decoder, self.last = nn.ModuleList(decoder), last

    def forward(self, images: Tensor, holes: Tensor) -> Tensor:
        """Images (B, 3, H, W) in [0, 1], whatever they show in the hole, and holes (B, 1, H, W) to (B, 3, H, W).

        The answer covers the whole image, known parts too, in [0, 1]; a little beyond that where it is added to a
        continuation. Sides that are no multiple of 128 are continued by reflection, hole and all, and cut back.
        """
        height, width = images.shape[-2:]
        if self.prefill == "smooth":
            images = fill_smoothly(images, holes)
        shown, marked = (continued(plane) for plane in (images, holes))
        if self.prefill == "none":
            shown = shown * (1 - marked)
        answer = self._answer(shown, marked)[..., :height, :width]
        return (answer + 1) / 2 if self.prefill == "none" else images + holes * answer

    def _answer(self, images: Tensor, holes: Tensor) -> Tensor:
        """What the U-Net makes of images (B, 3, H, W), of sides that 128 divides: as many in [-1, 1]."""
        known = 1 - holes  # in here one means known, as in the paper
        bare, forward_maps, reverse_maps = [], [], []
        x, mask = torch.cat([images, known], 1), known.expand(-1, 3, -1, -1)
        for level in self.encoder:
            x, mask, features, attention = level(x, mask)
            bare.append(features)
            forward_maps.append(attention)
        mask = holes.expand(-1, 3, -1, -1)
        for level in self.reverse:
            attention, mask = level(mask)
            reverse_maps.append(attention)
        for up, depth in zip(self.decoder, reversed(range(LEVELS - 1)), strict=True):
            both = torch.cat([bare[depth], up(x)], 1)
            x = F.leaky_relu(both * torch.cat([forward_maps[depth], reverse_maps[depth]], 1), SLOPE)
        return torch.tanh(in_full_precision(self.last, x))


def start(
    encoder: Sequence[Encoder],
    reverse: Sequence[MapConvolution],
    decoder: Sequence[nn.ConvTranspose2d],
    last: nn.ConvTranspose2d,
    *,
    pyramid: bool,
) -> None:
    """Give all levels the weights that training starts from; see `restore.plugins.lbam.init`.

    The pyramid fills holes by itself, so a network that adds to a continuation starts without it.
    """
    convolutions = [level.features for level in encoder]
    start_drawn(convolutions, decoder, last.weight)
    if pyramid:
        start_as_pyramid([layer.weight for layer in convolutions], [layer.weight for layer in decoder], last.weight)
    for levels in ([level.attention for level in encoder], reverse):
        for depth, maps in enumerate(levels):
            maps.start_averaging(depth, averaging(depth))


def continued(planes: Tensor) -> Tensor:
    """Planes (B, C, H, W) reflected to the right and below until both sides are multiples of 128."""
    height, width = (-(-side // MULTIPLE_OF) * MULTIPLE_OF for side in planes.shape[-2:])
    return padded(planes.flatten(0, 1), height, width, "reflect").reshape(*planes.shape[:2], height, width)
