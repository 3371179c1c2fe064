"""Photo-realistic super-resolution: SRResNet, MSRResNet and SRGAN; the networks of ESRGAN and Real-ESRGAN."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, RecipeSpec, TaskSpec, WeightsSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register the family's task."""
    place = "restore.plugins.srgan"
    return [
        TaskSpec(
            "srgan",
            f"{place}.task:SRGAN",
            settings=f"{place}.settings:SRGANSettings",
            evaluate="restore.plugins.common.super_resolution.settings:DegradedEvaluateOptions",
            imports=f"{place}.convert:CONVERTERS",
            summary="Photo-realistic super-resolution (Ledig et al., 2017).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the family's networks."""
    place = "restore.plugins.srgan"
    return [
        ArchitectureSpec(
            "srresnet",
            f"{place}.generators:SRResNet",
            role="super-resolution",
            settings=f"{place}.network_settings:SRResNetSettings",
            summary="The published generator, with batch normalization.",
        ),
        ArchitectureSpec(
            "msrresnet",
            f"{place}.generators:MSRResNet",
            role="super-resolution",
            settings=f"{place}.network_settings:MSRResNetSettings",
            summary="Generator without batch normalization; adds detail to a bilinear upscaling.",
        ),
        ArchitectureSpec(
            "compact",
            f"{place}.generators:Compact",
            role="super-resolution",
            settings=f"{place}.network_settings:CompactSettings",
            summary="Small generator; all residual blocks run at the input's resolution.",
        ),
        ArchitectureSpec(
            "light",
            f"{place}.light:Light",
            role="super-resolution",
            settings=f"{place}.network_settings:LightSettings",
            summary="Light generator without anything at the output's size: for PSNR on a CPU.",
        ),
        ArchitectureSpec(
            "rrdbnet",
            f"{place}.rrdbnet:RRDBNet",
            role="super-resolution",
            settings=f"{place}.network_settings:RRDBNetSettings",
            summary="The generator of ESRGAN and Real-ESRGAN: residual-in-residual dense blocks.",
        ),
        ArchitectureSpec(
            "srvggnet-compact",
            f"{place}.srvggnet:SRVGGNetCompact",
            role="super-resolution",
            settings=f"{place}.network_settings:SRVGGNetCompactSettings",
            summary="The small generator of Real-ESRGAN: a chain of convolutions at the input's resolution.",
        ),
        ArchitectureSpec(
            "discriminator",
            f"{place}.discriminator:Discriminator",
            role="discriminator",
            settings=f"{place}.network_settings:DiscriminatorSettings",
            summary="VGG-style discriminator of SRGAN.",
        ),
        ArchitectureSpec(
            "unet-discriminator",
            f"{place}.unet_discriminator:UNetDiscriminator",
            role="discriminator",
            settings=f"{place}.network_settings:UNetDiscriminatorSettings",
            summary="U-Net discriminator of Real-ESRGAN with spectral normalization; it scores every pixel.",
        ),
    ]


@hookimpl
def restore_weights() -> list[WeightsSpec]:
    """Register the weights that ship."""
    place = "restore.plugins.srgan.weights"
    cleaned, research = "removes JPEG artifacts and light noise.", "as in papers; trained on research sets too."
    return [
        WeightsSpec("upscale", f"{place}:UPSCALE", summary=f"Photographs, four times larger; {cleaned}"),
        WeightsSpec("upscale-x2", f"{place}:UPSCALE_X2", summary=f"Photographs, twice as large; {cleaned}"),
        WeightsSpec("upscale-clean", f"{place}:UPSCALE_CLEAN", summary=f"Clean images, four times larger, {research}"),
        WeightsSpec(
            "upscale-clean-x3", f"{place}:UPSCALE_CLEAN_X3", summary=f"Clean images, three times larger, {research}"
        ),
        WeightsSpec(
            "upscale-clean-x2", f"{place}:UPSCALE_CLEAN_X2", summary=f"Clean images, twice as large, {research}"
        ),
    ]


@hookimpl
def restore_recipes() -> list[RecipeSpec]:
    """Register the recipes of the weights that ship."""
    cleaned = "photographs, with JPEG artifacts and light noise removed."
    clean = "inputs that MATLAB's bicubic made small, as in tables of papers."
    return [
        RecipeSpec(name, f"restore.recipes:{name.upper().replace('-', '_')}", task="srgan/srgan", summary=summary)
        for name, summary in (
            ("upscale-x4-start", f"What upscale-x4 starts from: {cleaned}"),
            ("upscale-x4", f"The weights upscale: {cleaned}"),
            ("upscale-x2", f"The weights upscale-x2: {cleaned}"),
            ("upscale-clean-x4", f"The weights upscale-clean: {clean}"),
            ("upscale-clean-x3", f"The weights upscale-clean-x3: {clean}"),
            ("upscale-clean-x2", f"The weights upscale-clean-x2: {clean}"),
        )
    ]
