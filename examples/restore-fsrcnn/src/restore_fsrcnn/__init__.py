"""FSRCNN, a small and fast network for super-resolution (Dong et al., 2016)."""

from __future__ import annotations

from restore.registry import ArchitectureSpec, TaskSpec, hookimpl

SUMMARY = "FSRCNN: works at the size of the input and upscales at the end (Dong et al., 2016)."


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register ``restore train fsrcnn``."""
    settings = "restore_fsrcnn.settings:FSRCNNSettings"
    return [TaskSpec("fsrcnn", "restore_fsrcnn.task:FSRCNNTask", settings=settings, summary=SUMMARY)]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the network for every task of super-resolution: ``restore train srgan --arch fsrcnn/fsrcnn``."""
    network, settings = "restore_fsrcnn.network:FSRCNN", "restore_fsrcnn.settings:NetworkSettings"
    return [ArchitectureSpec("fsrcnn", network, role="super-resolution", settings=settings, summary=SUMMARY)]
