"""Brighten dark photographs: the least that trains, to be replaced by your model."""

from __future__ import annotations

from restore.registry import TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train lighten``. Other hooks register architectures, datasets, losses and metrics."""
    return [
        TaskSpec(
            "lighten",
            "restore_lighten.task:LightenTask",
            settings="restore_lighten.settings:LightenSettings",
            summary="Brighten dark photographs.",
        ),
    ]
