"""Upscale photographs with a small residual network."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train your-net``."""
    return [
        TaskSpec(
            "your-net",
            "restore_your_net.task:YourNetTask",
            settings="restore_your_net.settings:YourNetSettings",
            summary="Upscale photographs with a small residual network.",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the network, for other families too."""
    return [
        ArchitectureSpec(
            "your-net",
            "restore_your_net.network:YourNetNetwork",
            role="super-resolution",
            settings="restore_your_net.settings:NetworkSettings",
            summary="Residual blocks and a sub-pixel convolution.",
        ),
    ]
