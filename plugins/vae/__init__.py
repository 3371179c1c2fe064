"""Autoencoders: compress pictures, enlarge them, draw new ones and walk between two."""

from __future__ import annotations

from restore.registry import Register, hookimpl

_SETTINGS = "restore.plugins.vae.settings"


@hookimpl
def restore_tasks(register: Register) -> None:
    """A plain autoencoder and a variational one."""
    register(
        "autoencoder",
        "restore.plugins.vae.task:Autoencoder",
        settings=f"{_SETTINGS}:AutoencoderSettings",
        summary="Compresses a picture into few numbers and draws it again, larger if asked to.",
    )
    register(
        "vae",
        "restore.plugins.vae.task:VariationalAutoencoder",
        settings=f"{_SETTINGS}:VAESettings",
        evaluate=f"{_SETTINGS}:EvaluationOptions",
        summary="Variational autoencoder (Kingma and Welling, 2014): its codes can also be drawn by chance.",
    )


@hookimpl
def restore_commands(register: Register) -> None:
    """What can be done with a code besides decoding it."""
    commands = {"sample": "Draw pictures that never were.", "interpolate": "Walk from one picture to another."}
    for name, summary in commands.items():
        register(
            name,
            f"restore.plugins.vae.commands:{name}",
            settings=f"{_SETTINGS}:{name.capitalize()}Settings",
            needs="weights",
            summary=summary,
        )
