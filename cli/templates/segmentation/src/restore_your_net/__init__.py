"""Find regions in images with a small encoder and decoder."""

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
            summary="Find regions in images with a small encoder and decoder. Sample: synthetic nuclei.",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the network, for other families too: ``restore train unet --model.architecture your-net``."""
    return [
        ArchitectureSpec(
            "your-net",
            "restore_your_net.network:YourNetNetwork",
            role="segmentation",
            settings="restore_your_net.settings:ModelSettings",
            summary="A small encoder and decoder with skip connections.",
        ),
    ]
