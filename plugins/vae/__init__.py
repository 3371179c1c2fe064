"""Autoencoders: compress images, upscale them, draw new ones and walk between two."""

from __future__ import annotations

from restore.registry import CommandSpec, TaskSpec, hookimpl

_SETTINGS = "restore.plugins.vae.settings"


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """A plain autoencoder and a variational one."""
    return [
        TaskSpec(
            "autoencoder",
            "restore.plugins.vae.task:Autoencoder",
            settings=f"{_SETTINGS}:AutoencoderSettings",
            summary="Compresses an image into few numbers and draws it again, larger if asked to.",
        ),
        TaskSpec(
            "vae",
            "restore.plugins.vae.task:VariationalAutoencoder",
            settings=f"{_SETTINGS}:VAESettings",
            evaluate=f"{_SETTINGS}:AutoencoderEvaluateOptions",
            summary="Variational autoencoder (Kingma and Welling, 2014): its codes can also be sampled.",
        ),
    ]


@hookimpl
def restore_commands() -> list[CommandSpec]:
    """What can be done with a code besides decoding it."""
    commands = {"sample": "Draw images that never were.", "interpolate": "Walk from one image to another."}
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
