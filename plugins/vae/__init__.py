"""Autoencoder and VAE: compress and upscale images, sample new ones and interpolate between two."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, CommandSpec, TaskSpec, hookimpl

_SETTINGS = "restore.plugins.vae.settings"


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register a plain and a variational autoencoder."""
    return [
        TaskSpec(
            "autoencoder",
            "restore.plugins.vae.task:Autoencoder",
            settings=f"{_SETTINGS}:AutoencoderSettings",
            predict=f"{_SETTINGS}:AutoencoderPredictOptions",
            evaluate="restore.plugins.common.super_resolution.settings:SuperResolutionEvaluateOptions",
            summary="Autoencoder: compresses an image into a latent code and reconstructs it, optionally upscaled.",
        ),
        TaskSpec(
            "vae",
            "restore.plugins.vae.task:VariationalAutoencoder",
            settings=f"{_SETTINGS}:VAESettings",
            predict=f"{_SETTINGS}:AutoencoderPredictOptions",
            evaluate=f"{_SETTINGS}:AutoencoderEvaluateOptions",
            summary="Variational autoencoder (Kingma and Welling, 2014): latent codes can also be sampled.",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the family's networks."""
    return [
        ArchitectureSpec(
            "convolutional",
            "restore.plugins.vae.networks:ConvolutionalAutoencoder",
            role="autoencoder",
            settings="restore.plugins.vae.network_settings:ConvolutionalSettings",
            summary="Convolutional encoder and decoder with residual blocks, for images of any size.",
        )
    ]


@hookimpl
def restore_commands() -> list[CommandSpec]:
    """Register commands that work on latent codes."""
    commands = {
        "sample": "Generate images from random latent codes.",
        "interpolate": "Interpolate between two images in latent space.",
    }
    return [
        CommandSpec(
            name,
            f"restore.plugins.vae.commands:{name}",
            settings=f"{_SETTINGS}:{name.capitalize()}Settings",
            needs="weights",
            weights_of=("vae",) if name == "sample" else (),
            summary=summary,
        )
        for name, summary in commands.items()
    ]
