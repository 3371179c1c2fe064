"""WarpGAN's generator: redraw an image in a style, and exaggerate its shape (Shi, Deb and Jain, CVPR 2019)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restore.plugins.warpgan.networks.encoder_decoder import ContentEncoder, Decoder, StyleEncoder
from restore.plugins.warpgan.networks.warp_controller import Controller, WarpController
from restore.plugins.warpgan.networks.warping import warp

LEAST = 8
"""Fewest rows and columns that the convolutions can reflect."""


class Drawing(NamedTuple):
    """Everything that one call of the generator made of B images, of which it drew the first N."""

    image: Tensor
    """(N, 3, H, W) in [-1, 1]: redrawn and warped."""
    rendered: Tensor
    """(N, 3, H, W) in [-1, 1]: redrawn, not warped."""
    points: Tensor
    """(N, P, 2): control points, rows and columns in pixels."""
    displacements: Tensor
    """(N, P, 2): how far each is moved, the scale included."""
    flow: Tensor
    """(N, 2, H, W): how many rows and columns every pixel came from its place in ``rendered``."""
    encoded_style: Tensor
    """(B, style): what the style encoder says of each image."""
    reconstructed: Tensor | None
    """(B, 3, H, W) in [-1, 1]: every image redrawn in its own style, not warped; where it was asked for."""


class WarpGenerator(nn.Module):
    """Encoders, decoder, warp controller and warp.

    ``channels`` is that of the first layer (64 as published), the deepest has four times as many. With the ``dense``
    controller every place of an image of ``size`` x ``size`` has its own weights, 134 of 144 million at 256, and no
    other size is accepted; the ``pooled`` one takes any of 8 x 8 and more. ``dropout`` acts between the linear layers
    of both controllers while training; the reference has none.
    """

    def __init__(
        self,
        size: int | None = None,
        style: int = 8,
        points: int = 16,
        channels: int = 64,
        controller: Controller = "pooled",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.content = ContentEncoder(channels)
        self.style = StyleEncoder(style, channels)
        self.decoder = Decoder(style, channels, dropout)
        self.warp = WarpController(size, 4 * channels, points, controller, dropout)

    def forward(
        self, image: Tensor, style: Tensor | None = None, scale: Tensor | None = None, reconstruct: bool = False
    ) -> Drawing:
        """Draw the first N of the images (B, 3, H, W) in [-1, 1] in styles (N, style), exaggerated by scales (N,).

        Without ``style`` all are drawn, each in its own; without ``scale`` exaggeration is 1. A scale of 0 does not
        warp, a negative one turns exaggeration round. ``reconstruct`` also redraws all B in their own styles: one call
        on photographs and caricatures together is all that a training step needs. ValueError below 8 x 8 pixels.
        """
        height, width = image.shape[-2:]
        if min(height, width) < LEAST:
            raise ValueError(f"images must have {LEAST} x {LEAST} pixels or more, not {width} x {height}")
        whole = continued(image)
        content = self.content(whole)  # (B, 4 x width, h, w)
        encoded = self.style(whole)
        style = encoded if style is None else style
        drawn = len(style)
        contents, styles = content[:drawn], style
        if reconstruct:
            contents, styles = torch.cat([contents, content]), torch.cat([styles.to(encoded), encoded])
        rendered = self.decoder(contents, styles)[..., :height, :width]
        points, displacements = self.warp(content[:drawn], height, width)
        if scale is not None:
            displacements = displacements * scale[:, None, None]
        warped = warp(rendered[:drawn], points, displacements)
        return Drawing(
            warped.image,
            rendered[:drawn],
            points,
            displacements,
            warped.flow,
            encoded,
            rendered[drawn:] if reconstruct else None,
        )


def continued(image: Tensor) -> Tensor:
    """An image whose last rows and columns are repeated until both numbers are multiples of 4."""
    down, across = -image.shape[-2] % 4, -image.shape[-1] % 4
    return F.pad(image, (0, across, 0, down), mode="replicate") if down or across else image
