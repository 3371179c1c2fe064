"""Brighten dark photographs: the least that trains, to be replaced by your model."""

from __future__ import annotations

from restore.registry import TaskSpec, hookimpl


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train your-net``. Other hooks register architectures, datasets, losses and metrics."""
    return [
        TaskSpec(
            "your-net",
            "restore_your_net.task:YourNetTask",
            settings="restore_your_net.settings:YourNetSettings",
            summary="Brighten dark photographs.",
        ),
    ]
