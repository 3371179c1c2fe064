"""Builds the networks that settings describe, and runs the generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.common.inpainting.refinement import GAIN, detail
from restore.plugins.inpaint_gan.attention import Attention
from restore.plugins.inpaint_gan.coarse_to_fine import CoarseToFine
from restore.plugins.inpaint_gan.discriminators import (
    LocalGlobalDiscriminator,
    MultiScaleDiscriminator,
    PatchDiscriminator,
)
from restore.plugins.inpaint_gan.network_settings import DiscriminatorSettings, ModelSettings
from restore.plugins.inpaint_gan.unet import UNetGenerator


def generator_of(model: ModelSettings) -> nn.Module:
    """Build the generator."""
    if model.generator == "unet":
        return UNetGenerator(model.channels, model.depth, model.norm, model.dropout, blocks=model.blocks)
    chosen = model.attention
    attention = Attention(chosen.rate, chosen.softmax_scale, chosen.fuse, chosen.published)
    return CoarseToFine(model.channels, model.gated, attention)


def drawn(model: ModelSettings, generator: nn.Module, images: Tensor, masks: Tensor) -> list[Tensor]:
    """Run the generator and return its stages, whole images (B, 3, H, W) around [0, 1], coarse to fine.

    The content of ``images`` (B, 3, H, W) in [0, 1] inside the hole does not matter: the generator sees mid-gray there,
    or a smooth continuation, to which its output is added.
    """
    known = (2 * images - 1) * (1 - masks)
    if model.generator == "coarse-to-fine":
        stages = list(generator(known, masks))
    elif model.start == "smooth":
        smooth = fill_smoothly(known, masks)
        shown = detail(smooth, GAIN / 2) if model.detail else smooth  # half, because values are in [-1, 1]
        output = generator(torch.cat([shown, masks], dim=1))
        # only inside the hole: a loss that pulls the output to zero outside it would soon make it zero everywhere
        stages = [smooth + masks * (2 / GAIN * output if model.detail else output)]
    else:
        stages = [generator(torch.cat([known, masks], dim=1))]
    return [(stage + 1) / 2 for stage in stages]


def discriminator_of(settings: DiscriminatorSettings, crop_size: int) -> nn.Module:
    """Build the discriminator for images of ``crop_size`` pixels."""
    in_channels = 4 if settings.sees_mask else 3
    shape = (in_channels, settings.channels, settings.layers, settings.norm, settings.spectral)
    match settings.kind:
        case "patch":
            return PatchDiscriminator(*shape)
        case "multi-scale":
            return MultiScaleDiscriminator(*shape, settings.scales)
        case "local-global":
            return LocalGlobalDiscriminator(crop_size // 2, crop_size, 3, settings.channels, settings.spectral)
