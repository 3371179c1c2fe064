"""Inpainting with learnable bidirectional attention maps (LBAM)."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register the family's task."""
    place, options = "restore.plugins.lbam", "restore.plugins.common.masks.settings"
    return [
        TaskSpec(
            "lbam",
            f"{place}.task:LBAM",
            settings=f"{place}.settings:LBAMSettings",
            predict=f"{options}:InpaintingPredictOptions",
            evaluate=f"{options}:InpaintingEvaluateOptions",
            imports=f"{place}.convert:CONVERTERS",
            summary="Inpainting with learnable bidirectional attention maps (Xie et al., 2019).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the family's networks."""
    place = "restore.plugins.lbam"
    return [
        ArchitectureSpec(
            "generator",
            f"{place}.generator:Generator",
            role="inpainting",
            settings=f"{place}.network_settings:GeneratorSettings",
            summary="U-Net with attention maps computed from the mask.",
        ),
        ArchitectureSpec(
            "discriminator",
            f"{place}.discriminator:Discriminator",
            role="inpainting-discriminator",
            settings=f"{place}.network_settings:TwoColumnSettings",
            summary="Two-column discriminator: one column for the hole, one for the rest.",
        ),
    ]
