"""Filling holes by generators and critics: U-Net and coarse-to-fine generators, patch and local-global critics."""

from __future__ import annotations

from restore.registry import Register, hookimpl


@hookimpl
def restore_tasks(register: Register) -> None:
    """The family's one task."""
    place, options = "restore.plugins.inpaint_gan", "restore.plugins.common.masks.settings"
    register(
        "inpaint-gan",
        f"{place}.task:InpaintGAN",
        settings=f"{place}.settings:InpaintGANSettings",
        predict=f"{options}:FillingPredict",
        evaluate=f"{options}:FillingEvaluate",
        imports=f"{place}.convert:CODE_BASES",
        summary="Fills holes by a generator that plays against a critic (Isola et al., 2017; Yu et al., 2018).",
    )


@hookimpl
def restore_architectures(register: Register) -> None:
    """Its networks, for other families to use."""
    place = "restore.plugins.inpaint_gan"
    register("unet-generator", f"{place}.unet:UNetGenerator", summary="The U-Net generator of pix2pix.")
    register("coarse-to-fine", f"{place}.coarse_to_fine:CoarseToFine", summary="The two-stage generator of DeepFill.")
    patches = f"{place}.discriminators"
    register("patch-discriminator", f"{patches}:PatchDiscriminator", summary="PatchGAN: judges every patch.")
    register(
        "multi-scale-discriminator", f"{patches}:MultiScaleDiscriminator", summary="PatchGANs at several resolutions."
    )
    register(
        "local-global-discriminator",
        f"{place}.discriminators:LocalGlobalDiscriminator",
        summary="The discriminators of DeepFill: of the hole with its surroundings, and of the picture.",
    )


@hookimpl
def restore_losses(register: Register) -> None:
    """The loss that looks into a discriminator."""
    register(
        "feature-matching",
        "restore.plugins.inpaint_gan.feature_matching:FeatureMatching",
        summary="Distance between a discriminator's features of generated and of real images.",
    )
