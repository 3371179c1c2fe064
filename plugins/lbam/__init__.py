"""Fill holes by learnable bidirectional attention maps."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """The family's one task."""
    place, options = "restore.plugins.lbam", "restore.plugins.common.masks.settings"
    return [
        TaskSpec(
            "lbam",
            f"{place}.task:LBAM",
            settings=f"{place}.settings:LBAMSettings",
            predict=f"{options}:InpaintingPredictOptions",
            evaluate=f"{options}:InpaintingEvaluateOptions",
            imports=f"{place}.convert:CONVERTERS",
            summary="Inpainting by learnable bidirectional attention maps (Xie et al., 2019).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Its networks, for other families to use."""
    place = "restore.plugins.lbam"
    return [
        ArchitectureSpec(
            "generator",
            f"{place}.generator:Generator",
            role="inpainting",
            summary="U-Net with attention maps learned from the mask.",
        ),
        ArchitectureSpec(
            "discriminator",
            f"{place}.discriminator:Discriminator",
            role="inpainting-discriminator",
            summary="Discriminator with a column for the hole.",
        ),
    ]
