"""Remove noise from photographs, by a small residual network."""

from __future__ import annotations

from restore.registry import Register, hookimpl


@hookimpl
def restore_tasks(register: Register) -> None:
    """``restore train denoise``."""
    register(
        "denoise",
        "restore_denoise.task:Denoising",
        settings="restore_denoise.settings:DenoisingSettings",
        evaluate="restore_denoise.settings:EvaluationOptions",
        summary="Remove Gaussian noise (after DnCNN, Zhang et al., 2017).",
    )


@hookimpl
def restore_architectures(register: Register) -> None:
    """The network, for other families too."""
    register("residual", "restore_denoise.network:ResidualDenoiser", summary="Predicts the noise and subtracts it.")


@hookimpl
def restore_losses(register: Register) -> None:
    """The loss."""
    register("edges", "restore_denoise.loss:EdgeLoss", summary="Mean absolute error of pixels and of their slopes.")


@hookimpl
def restore_datasets(register: Register) -> None:
    """The pictures."""
    register("noisy", "restore_denoise.dataset:NoisyPictures", summary="Pictures, and the same with noise.")
