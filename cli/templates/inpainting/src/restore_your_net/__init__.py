"""Fill holes in photographs with a small network of dilated convolutions."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train your-net``. The flags of predict and evaluate are those of all inpainting families."""
    return [
        TaskSpec(
            "your-net",
            "restore_your_net.task:YourNetTask",
            settings="restore_your_net.settings:YourNetSettings",
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
            "your-net",
            "restore_your_net.network:YourNetNetwork",
            role="inpainting",
            settings="restore_your_net.settings:ModelSettings",
            summary="Dilated convolutions that add detail to a smooth fill.",
        ),
    ]
