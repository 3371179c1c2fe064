"""Remove noise from photographs, by a small residual network."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, DatasetSpec, LossSpec, TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """``restore train denoise``."""
    return [
        TaskSpec(
            "denoise",
            "restore_denoise.task:Denoising",
            settings="restore_denoise.settings:DenoisingSettings",
            evaluate="restore_denoise.settings:DenoiseEvaluateOptions",
            summary="Remove Gaussian noise (after DnCNN, Zhang et al., 2017).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """The network, for other families too."""
    return [
        ArchitectureSpec(
            "residual",
            "restore_denoise.network:ResidualDenoiser",
            role="restoration",
            summary="Predicts the noise and subtracts it.",
        ),
    ]


@hookimpl
def restore_losses() -> list[LossSpec]:
    """The loss."""
    return [
        LossSpec(
            "edges",
            "restore_denoise.loss:EdgeLoss",
            role="pixel",
            summary="Mean absolute error of pixels and of their slopes.",
        ),
    ]


@hookimpl
def restore_datasets() -> list[DatasetSpec]:
    """The images."""
    return [
        DatasetSpec(
            "noisy",
            "restore_denoise.dataset:NoisyImages",
            role="restoration",
            summary="Images, and the same with noise.",
        ),
    ]
