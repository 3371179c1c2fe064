"""Photo-realistic super-resolution: SRResNet, MSRResNet and SRGAN."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """The family's one task."""
    place = "restore.plugins.srgan"
    return [
        TaskSpec(
            "srgan",
            f"{place}.task:SRGAN",
            settings=f"{place}.settings:SRGANSettings",
            imports=f"{place}.convert:CONVERTERS",
            summary="Photo-realistic super-resolution (Ledig et al., 2017).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Its networks, for other families to use."""
    place = "restore.plugins.srgan"
    return [
        ArchitectureSpec(
            "srresnet",
            f"{place}.generators:SRResNet",
            role="super-resolution",
            summary="Generator with batch normalization, as published.",
        ),
        ArchitectureSpec(
            "msrresnet",
            f"{place}.generators:MSRResNet",
            role="super-resolution",
            summary="Generator without it, upon a bilinear upscaling.",
        ),
        ArchitectureSpec(
            "compact",
            f"{place}.generators:Compact",
            role="super-resolution",
            summary="Small generator that works at the input's size throughout.",
        ),
        ArchitectureSpec(
            "discriminator",
            f"{place}.discriminator:Discriminator",
            role="discriminator",
            summary="VGG-style discriminator of SRGAN.",
        ),
    ]
