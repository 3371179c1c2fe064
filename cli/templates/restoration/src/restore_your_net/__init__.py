"""Remove noise from photographs with a small residual network."""

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
            evaluate="restore_your_net.settings:YourNetEvaluateOptions",
            summary="Remove Gaussian noise with a small residual network (after Zhang et al., 2017).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the network, for other families too."""
    return [
        ArchitectureSpec(
            "your-net",
            "restore_your_net.network:YourNetNetwork",
            role="restoration",
            settings="restore_your_net.settings:NetworkSettings",
            summary="Predicts the noise and subtracts it.",
        ),
    ]
