"""Upscale photographs with a small residual network."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train upsample``."""
    return [
        TaskSpec(
            "upsample",
            "restore_upsample.task:UpsampleTask",
            settings="restore_upsample.settings:UpsampleSettings",
            summary="Upscale photographs with a small residual network.",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the network, for other families too."""
    return [
        ArchitectureSpec(
            "upsample",
            "restore_upsample.network:UpsampleNetwork",
            role="super-resolution",
            settings="restore_upsample.settings:NetworkSettings",
            summary="Residual blocks and a sub-pixel convolution.",
        ),
    ]
