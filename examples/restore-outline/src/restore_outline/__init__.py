"""Find regions in images with a small encoder and decoder."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train outline``."""
    return [
        TaskSpec(
            "outline",
            "restore_outline.task:OutlineTask",
            settings="restore_outline.settings:OutlineSettings",
            summary="Find regions in images with a small encoder and decoder. Sample: synthetic nuclei.",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the network, for other families too: ``restore train unet --model.architecture outline``."""
    return [
        ArchitectureSpec(
            "outline",
            "restore_outline.network:OutlineNetwork",
            role="segmentation",
            settings="restore_outline.settings:ModelSettings",
            summary="A small encoder and decoder with skip connections.",
        ),
    ]
