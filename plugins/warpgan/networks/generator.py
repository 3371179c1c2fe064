"""WarpGAN's generator: style transfer and exaggeration of the shape (Shi, Deb and Jain, CVPR 2019)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restore.plugins.warpgan.networks.encoder_decoder import ContentEncoder, Decoder, StyleEncoder
from restore.plugins.warpgan.networks.warp_controller import Controller, WarpController
from restore.plugins.warpgan.networks.warping import warp

LEAST = 8
"""Fewest rows and columns that reflection padding allows."""


UNITS = 16
"""Units per image side in which the pooled controller predicts points. Adam changes all numbers at about the same rate.
In pixels, as in the dense controller, displacements would take a hundred thousand steps to become visible."""


class Drawing(NamedTuple):
    """Output of the generator for B images, of which the first N are drawn."""

    image: Tensor
    """(N, 3, H, W) in [-1, 1]: redrawn and warped."""
    rendered: Tensor
    """(N, 3, H, W) in [-1, 1]: redrawn, not warped."""
    points: Tensor
    """(N, P, 2): control points, rows and columns in pixels."""
    displacements: Tensor
    """(N, P, 2): displacements of the points, times the scale."""
    flow: Tensor
    """(N, 2, H, W): rows and columns by which each pixel was moved from its position in ``rendered``."""
    encoded_style: Tensor
    """Style code of each image (B, style)."""
    reconstructed: Tensor | None
    """(B, 3, H, W) in [-1, 1]: every image redrawn in its own style, not warped; None unless asked for."""


class WarpGenerator(nn.Module):
    """Encoders, decoder, warp controller and warp.

    Args:
        size: side of the images in pixels, for the ``dense`` controller.
        style: dimensions of the style code.
        points: number of control points.
        channels: channels of the first layer (published: 64); the deepest has four times as many.
        controller: ``dense`` has separate weights for every position of an image of ``size`` x ``size``, 134 of 144
            million at 256 pixels, and accepts no other size; ``pooled`` accepts any size from 8 x 8.
        dropout: probability of dropout between the linear layers of both controllers; the published code has none.
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
        units = size if controller == "dense" else UNITS
        self.warp = WarpController(units, 4 * channels, points, controller, dropout)

    def forward(
        self, image: Tensor, style: Tensor | None = None, scale: Tensor | None = None, reconstruct: bool = False
    ) -> Drawing:
        """Draw the first N of the images (B, 3, H, W) in [-1, 1], N being the number of styles.

        Raises ValueError for images below 8 x 8 pixels.

        Args:
            image: (B, 3, H, W) in [-1, 1].
            style: style codes (N, style); None draws all images in their own styles.
            scale: exaggerations (N,): 1 is the predicted one (default), 0 does not warp, negative values invert it.
            reconstruct: whether to redraw all B images in their own styles too. A training step then needs only one
                call, on photographs and caricatures together.
        """
        height, width = image.shape[-2:]
        if min(height, width) < LEAST:
            raise ValueError(f"images must have {LEAST} x {LEAST} pixels or more, not {width} x {height}")
        whole = pad_to_multiple(image)
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


def pad_to_multiple(image: Tensor) -> Tensor:
    """Pad an image to multiples of 4 by repeating its last rows and columns."""
    down, across = -image.shape[-2] % 4, -image.shape[-1] % 4
    return F.pad(image, (0, across, 0, down), mode="replicate") if down or across else image
