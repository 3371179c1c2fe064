"""Photo-realistic super-resolution: SRResNet, MSRResNet and SRGAN."""

from __future__ import annotations

from restore.registry import Register, hookimpl


@hookimpl
def restore_tasks(register: Register) -> None:
    """The family's one task."""
    place = "restore.plugins.srgan"
    register(
        "srgan",
        f"{place}.task:SRGAN",
        settings=f"{place}.settings:SRGANSettings",
        imports=f"{place}.convert:CODE_BASES",
        summary="Photo-realistic super-resolution (Ledig et al., 2017).",
    )


@hookimpl
def restore_architectures(register: Register) -> None:
    """Its networks, for other families to use."""
    place = "restore.plugins.srgan"
    register("srresnet", f"{place}.generators:SRResNet", summary="Generator with batch normalisation, as published.")
    register("msrresnet", f"{place}.generators:MSRResNet", summary="Generator without it, upon a bilinear enlargement.")
    register(
        "compact", f"{place}.generators:Compact", summary="Small generator that works at the input's size throughout."
    )
    register("discriminator", f"{place}.discriminator:Discriminator", summary="VGG-style discriminator of SRGAN.")
