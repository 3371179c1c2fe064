"""The generator of LBAM: a U-Net whose features are weighted by attention maps learned from the mask."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.inference.padding import pad
from restore.core.runtime.precision import in_full_precision
from restore.core.specs import Tiling
from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.common.inpainting.refinement import GAIN, detail, residual_blocks
from restore.plugins.lbam.attention import AsymmetricGaussian, MapConvolution, doubling, halving
from restore.plugins.lbam.init import SLOPE, averaging, start_as_pyramid, start_drawn
from restore.plugins.lbam.network_settings import Prefill

LEVELS = 7
"""Number of halvings of height and width in the published network."""


class Encoder(nn.Module):
    """One level of the encoder: a convolution of the features, weighted by attention from a convolution of the mask."""

    def __init__(self, before: int, after: int, mask_before: int) -> None:
        super().__init__()
        self.features = halving(before, after)
        self.attention = MapConvolution(mask_before, after, AsymmetricGaussian(1.1, 2.0, 1.0, 1.0))

    def forward(self, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Process features (B, C, H, W) and a mask that is 1 in the known region.

        Returns:
            The weighted features, the next mask, the unweighted features and the attention, all of half the height and
            width. The decoder uses the last two.
        """
        bare = self.features(x)
        attention, known = self.attention(known)
        return F.leaky_relu(bare * attention, SLOPE), known, bare, attention


class Generator(nn.Module):
    """Inpaints with learnable bidirectional attention maps (Xie et al., 2019, figure 2).

    Forward maps, computed from the mask of the known region, weight the encoder's features. Reverse maps, computed from
    the mask of the hole, weight those of the decoder, so that it attends to the hole. There is no normalization.

    As published (``prefill="none"``), the input is black inside the hole and the output is the whole image. With
    ``smooth``, the input is a smooth continuation there, and the output is added to it inside the hole; known pixels
    stay unchanged.

    Args:
        channels: channels of the first level; the deepest four levels have eight times as many. 64 is the published
            network with 68,304,948 parameters.
        prefill: initial content of the hole.
        levels: number of halvings of height and width, from 2; published: 7.
        blocks: residual blocks at the finest level of the decoder, before its attention; published: 0.
        detail: with a smooth prefill, show the network only the detail, and scale its output accordingly.
    """

    def __init__(
        self,
        channels: int = 64,
        prefill: Prefill = "none",
        levels: int = LEVELS,
        blocks: int = 0,
        detail: bool = False,
    ) -> None:
        super().__init__()
        self.prefill, self.detail, self.multiple = prefill, detail, 2**levels
        self.tiling = Tiling("whole", halo=0, multiple_of=self.multiple)
        widths = [channels * min(2**level, 8) for level in range(levels)]
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
        self.blocks = residual_blocks(2 * channels, blocks)

    def forward(self, images: Tensor, holes: Tensor) -> Tensor:
        """Inpaint images (B, 3, H, W) in [0, 1] with masks (B, 1, H, W), 1 inside the hole.

        The content inside the hole does not matter. As published, the output (B, 3, H, W) covers the known region too
        and is in [0, 1]; where it is added to a continuation it may leave this range slightly. Sides that are not
        multiples of 2^levels are padded by reflection (image and mask) and cropped back.
        """
        height, width = images.shape[-2:]
        if self.prefill == "smooth":
            images = fill_smoothly(images, holes)
        shown = detail(images) if self.detail else images
        shown, marked = (pad_to_multiple(plane, self.multiple) for plane in (shown, holes))
        if self.prefill == "none":
            shown = shown * (1 - marked)
        answer = self._answer(shown, marked)[..., :height, :width]
        if self.prefill == "none":
            return (answer + 1) / 2
        return images + holes * (answer / GAIN if self.detail else answer)

    def _answer(self, images: Tensor, holes: Tensor) -> Tensor:
        """Return the output of the U-Net, (B, 3, H, W) in [-1, 1], for images whose sides are multiples of 2^levels."""
        known = 1 - holes  # from here on 1 means known, as in the paper
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
        for up, depth in zip(self.decoder, reversed(range(len(self.decoder))), strict=True):
            both = torch.cat([bare[depth], up(x)], 1)
            if depth == 0:
                both = self.blocks(both)
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
    """Initialize all levels; see `restore.plugins.lbam.init`.

    The pyramid fills holes by itself, so a network that adds to a continuation starts without it.
    """
    convolutions = [level.features for level in encoder]
    start_drawn(convolutions, decoder, last.weight)
    if pyramid:
        start_as_pyramid([layer.weight for layer in convolutions], [layer.weight for layer in decoder], last.weight)
    for levels in ([level.attention for level in encoder], reverse):
        for depth, maps in enumerate(levels):
            maps.start_averaging(depth, averaging(depth))


def pad_to_multiple(planes: Tensor, multiple: int) -> Tensor:
    """Pad planes (B, C, H, W) by reflection at the right and the bottom to multiples of a number of pixels."""
    height, width = (-(-side // multiple) * multiple for side in planes.shape[-2:])
    return pad(planes.flatten(0, 1), height, width, "reflect").reshape(*planes.shape[:2], height, width)
