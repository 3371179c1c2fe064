"""Fill holes in photographs with a small network of dilated convolutions."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train infill``. The flags of predict and evaluate are those of all inpainting families."""
    return [
        TaskSpec(
            "infill",
            "restore_infill.task:InfillTask",
            settings="restore_infill.settings:InfillSettings",
            predict="restore.plugins.common.masks.settings:InpaintingPredictOptions",
            evaluate="restore.plugins.common.masks.settings:InpaintingEvaluateOptions",
            summary="Fill holes in photographs with a small network of dilated convolutions.",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the network, for other families too."""
    return [
        ArchitectureSpec(
            "infill",
            "restore_infill.network:InfillNetwork",
            role="inpainting",
            settings="restore_infill.settings:ModelSettings",
            summary="Dilated convolutions that add detail to a smooth fill.",
        ),
    ]
