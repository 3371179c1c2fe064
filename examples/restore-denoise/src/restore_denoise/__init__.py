"""Remove noise from photographs with a small residual network."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train denoise``."""
    return [
        TaskSpec(
            "denoise",
            "restore_denoise.task:DenoiseTask",
            settings="restore_denoise.settings:DenoiseSettings",
            evaluate="restore_denoise.settings:DenoiseEvaluateOptions",
            summary="Remove Gaussian noise with a small residual network (after Zhang et al., 2017).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the network, for other families too."""
    return [
        ArchitectureSpec(
            "denoise",
            "restore_denoise.network:DenoiseNetwork",
            role="restoration",
            settings="restore_denoise.settings:NetworkSettings",
            summary="Predicts the noise and subtracts it.",
        ),
    ]
