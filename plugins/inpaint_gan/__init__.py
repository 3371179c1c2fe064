"""GAN inpainting: U-Net (pix2pix) and coarse-to-fine (DeepFill) generators, patch and local-global discriminators."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, LossSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register the family's task."""
    place, options = "restore.plugins.inpaint_gan", "restore.plugins.common.masks.settings"
    return [
        TaskSpec(
            "inpaint-gan",
            f"{place}.task:InpaintGAN",
            settings=f"{place}.settings:InpaintGANSettings",
            predict=f"{options}:InpaintingPredictOptions",
            evaluate=f"{options}:InpaintingEvaluateOptions",
            imports=f"{place}.convert:CONVERTERS",
            summary="Inpainting GAN: generators of pix2pix (Isola et al., 2017) and DeepFill (Yu et al., 2018).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the family's networks."""
    place = "restore.plugins.inpaint_gan"
    networks, settings = f"{place}.networks", f"{place}.network_settings"
    return [
        ArchitectureSpec(
            "unet-generator",
            f"{networks}:InpaintingUNet",
            role="inpainting",
            settings=f"{settings}:UNetGeneratorSettings",
            summary="The U-Net generator of pix2pix.",
        ),
        ArchitectureSpec(
            "coarse-to-fine",
            f"{networks}:InpaintingCoarseToFine",
            role="inpainting",
            settings=f"{settings}:CoarseToFineSettings",
            summary="The two-stage generator of DeepFill.",
        ),
        ArchitectureSpec(
            "patch-discriminator",
            f"{networks}:InpaintingPatchDiscriminator",
            role="inpainting-discriminator",
            settings=f"{settings}:PatchDiscriminatorSettings",
            summary="PatchGAN: one score per patch.",
        ),
        ArchitectureSpec(
            "multi-scale-discriminator",
            f"{networks}:InpaintingMultiScaleDiscriminator",
            role="inpainting-discriminator",
            settings=f"{settings}:MultiScaleDiscriminatorSettings",
            summary="PatchGANs at several resolutions.",
        ),
        ArchitectureSpec(
            "local-global-discriminator",
            f"{networks}:InpaintingLocalGlobalDiscriminator",
            role="inpainting-discriminator",
            settings=f"{settings}:LocalGlobalDiscriminatorSettings",
            summary="The discriminators of DeepFill: one for a square around the hole, one for the whole image.",
        ),
    ]


@hookimpl
def restore_losses() -> list[LossSpec]:
    """Register the feature-matching loss."""
    return [
        LossSpec(
            "feature-matching",
            "restore.plugins.inpaint_gan.feature_matching:FeatureMatching",
            role="feature-matching",
            summary="Distance between a discriminator's features of generated and of real images.",
        ),
    ]
