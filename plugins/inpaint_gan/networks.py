"""The networks as they are registered: they keep the contracts of their roles, for any task of inpainting.

Each adds to a published network how it is shown images in [0, 1] and masks.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.common.inpainting.refinement import GAIN, detail
from restore.plugins.inpaint_gan.attention import Attention
from restore.plugins.inpaint_gan.blocks import Norm
from restore.plugins.inpaint_gan.coarse_to_fine import CoarseToFine
from restore.plugins.inpaint_gan.discriminators import (
    LocalGlobalDiscriminator,
    MultiScaleDiscriminator,
    PatchDiscriminator,
)
from restore.plugins.inpaint_gan.network_settings import AttentionSettings
from restore.plugins.inpaint_gan.progressive import crop_boxes, local_boxes
from restore.plugins.inpaint_gan.unet import UNetGenerator


class InpaintingUNet(UNetGenerator):
    """The U-Net of pix2pix, which draws upon gray or adds to a smooth continuation.

    Args:
        channels: channels of the first level.
        depth: number of halvings.
        start: initial content of the hole: ``gray``, or ``smooth``.
        detail: with a smooth start, show the network only the detail, and scale its output accordingly.
        blocks: residual blocks before the last layer.
        norm: normalization.
        dropout: whether to apply dropout.
    """

    def __init__(
        self,
        channels: int = 32,
        depth: int = 6,
        start: str = "smooth",
        detail: bool = False,
        blocks: int = 0,
        norm: Norm = "batch",
        dropout: bool = False,
    ) -> None:
        super().__init__(channels, depth, norm, dropout, blocks=blocks)
        self.start, self.detail = start, detail

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:  # type: ignore[override]  # the contract of the role
        """Fill images (B, 3, H, W) in [0, 1] where masks (B, 1, H, W) are 1."""
        known = (2 * images - 1) * (1 - masks)
        if self.start == "gray":
            return (super().forward(torch.cat([known, masks], dim=1)) + 1) / 2
        smooth = fill_smoothly(known, masks)
        shown = detail(smooth, GAIN / 2) if self.detail else smooth  # half, because values are in [-1, 1]
        output = super().forward(torch.cat([shown, masks], dim=1))
        # only inside the hole: a loss that pulls the output to zero outside it would soon make it zero everywhere
        return (smooth + masks * (2 / GAIN * output if self.detail else output) + 1) / 2


class InpaintingCoarseToFine(CoarseToFine):
    """The generator of DeepFill.

    Args:
        channels: channels of the first layer; must be even.
        gated: whether to use gated convolutions.
        attention: settings of contextual attention.
    """

    def __init__(self, channels: int = 32, gated: bool = False, attention: AttentionSettings | None = None) -> None:
        chosen = attention or AttentionSettings()
        super().__init__(channels, gated, Attention(chosen.rate, chosen.softmax_scale, chosen.fuse, chosen.published))

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Fill images (B, 3, H, W) in [0, 1] where masks (B, 1, H, W) are 1; return the coarse and the fine image."""
        coarse, fine = super().forward(2 * image - 1, mask)
        return (coarse + 1) / 2, (fine + 1) / 2


class InpaintingPatchDiscriminator(PatchDiscriminator):
    """PatchGAN, which may see the mask too.

    Args:
        crop_size: promised by the role; any size fits.
        sees_mask: whether the mask joins the input.
        **shape: arguments of `PatchDiscriminator`.
    """

    has_features = True

    def __init__(self, crop_size: int, sees_mask: bool = True, **shape: Any) -> None:  # noqa: ARG002
        super().__init__(4 if sees_mask else 3, **shape)
        self.sees_mask = sees_mask

    def forward(self, images: Tensor, masks: Tensor, features: bool = False) -> Any:  # type: ignore[override]
        """Score images (B, 3, H, W) in [0, 1] that were filled where masks (B, 1, H, W) are 1."""
        return super().forward(append_mask(images, masks) if self.sees_mask else 2 * images - 1, features)  # type: ignore[call-overload]


class InpaintingMultiScaleDiscriminator(MultiScaleDiscriminator):
    """PatchGANs at several resolutions, which may see the mask too; arguments as `InpaintingPatchDiscriminator`."""

    has_features = True

    def __init__(self, crop_size: int, sees_mask: bool = True, **shape: Any) -> None:  # noqa: ARG002
        super().__init__(4 if sees_mask else 3, **shape)
        self.sees_mask = sees_mask

    def forward(self, images: Tensor, masks: Tensor, features: bool = False) -> Any:  # type: ignore[override]
        """Score images (B, 3, H, W) in [0, 1] that were filled where masks (B, 1, H, W) are 1, at each resolution."""
        return super().forward(append_mask(images, masks) if self.sees_mask else 2 * images - 1, features)  # type: ignore[call-overload]


class InpaintingLocalGlobalDiscriminator(LocalGlobalDiscriminator):
    """The discriminators of DeepFill for a square around the hole, half as wide as the image, and for the image.

    Args:
        crop_size: side of the images.
        channels: channels of the first layer.
        spectral: whether to apply spectral normalization.
    """

    has_features = True

    def __init__(self, crop_size: int, channels: int = 32, spectral: bool = True) -> None:
        super().__init__(crop_size // 2, crop_size, 3, channels, spectral)

    def forward(self, images: Tensor, masks: Tensor, features: bool = False) -> Any:
        """Score images (B, 3, H, W) in [0, 1] that were filled where masks (B, 1, H, W) are 1."""
        shown, side = 2 * images - 1, images.shape[-1] // 2
        return super().forward(crop_boxes(shown, local_boxes(masks, side), side), shown, features)  # type: ignore[call-overload]


def append_mask(images: Tensor, masks: Tensor) -> Tensor:
    """Return images (B, 3, H, W) in [0, 1] as [-1, 1], with their masks as a fourth channel."""
    return torch.cat([2 * images - 1, masks.to(images.dtype)], dim=1)
