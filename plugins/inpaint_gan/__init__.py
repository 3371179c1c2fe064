"""Adversarial inpainting: U-Net and coarse-to-fine generators, patch and local-global discriminators."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, LossSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """The family's one task."""
    place, options = "restore.plugins.inpaint_gan", "restore.plugins.common.masks.settings"
    return [
        TaskSpec(
            "inpaint-gan",
            f"{place}.task:InpaintGAN",
            settings=f"{place}.settings:InpaintGANSettings",
            predict=f"{options}:InpaintingPredictOptions",
            evaluate=f"{options}:InpaintingEvaluateOptions",
            imports=f"{place}.convert:CONVERTERS",
            summary="Fills holes by a generator that trains against a discriminator (Isola et al., 2017; Yu et al., "
            "2018).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Its networks, for other families to use."""
    place = "restore.plugins.inpaint_gan"
    patches = f"{place}.discriminators"
    return [
        ArchitectureSpec(
            "unet-generator",
            f"{place}.unet:UNetGenerator",
            role="inpainting",
            summary="The U-Net generator of pix2pix.",
        ),
        ArchitectureSpec(
            "coarse-to-fine",
            f"{place}.coarse_to_fine:CoarseToFine",
            role="inpainting",
            summary="The two-stage generator of DeepFill.",
        ),
        ArchitectureSpec(
            "patch-discriminator",
            f"{patches}:PatchDiscriminator",
            role="discriminator",
            summary="PatchGAN: judges every patch.",
        ),
        ArchitectureSpec(
            "multi-scale-discriminator",
            f"{patches}:MultiScaleDiscriminator",
            role="discriminator",
            summary="PatchGANs at several resolutions.",
        ),
        ArchitectureSpec(
            "local-global-discriminator",
            f"{place}.discriminators:LocalGlobalDiscriminator",
            role="inpainting-discriminator",
            summary="The discriminators of DeepFill: of the hole with its surroundings, and of the image.",
        ),
    ]


@hookimpl
def restore_losses() -> list[LossSpec]:
    """The loss that looks into a discriminator."""
    return [
        LossSpec(
            "feature-matching",
            "restore.plugins.inpaint_gan.feature_matching:FeatureMatching",
            role="feature-matching",
            summary="Distance between a discriminator's features of generated and of real images.",
        ),
    ]
