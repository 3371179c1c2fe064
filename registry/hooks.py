"""What a plugin may provide: one hook a kind, each of which returns a list of specifications.

A specification refers to an object by ``"module:attribute"``, so that a plugin's module is fast to load, whatever its
networks import::

    from restore.registry import TaskSpec, hookimpl


    @hookimpl
    def restore_tasks() -> list[TaskSpec]:
        return [
            TaskSpec(
                "demo", "restore_demo.task:Demo", settings="restore_demo.settings:DemoSettings", summary="Shows how."
            )
        ]
"""

from __future__ import annotations

import pluggy

from restore.registry.specs import (
    ArchitectureSpec,
    CommandSpec,
    ConverterSpec,
    DatasetSpec,
    ListenerSpec,
    LossSpec,
    MetricSpec,
    ProtocolSpec,
    RecipeSpec,
    TaskSpec,
    WeightsSpec,
)

hookspec = pluggy.HookspecMarker("restore")
hookimpl = pluggy.HookimplMarker("restore")
"""Marks a function of a plugin as one of the hooks."""


class HookSpecifications:
    """The hooks."""

    @hookspec
    def restore_tasks(self) -> list[TaskSpec]:  # type: ignore[empty-body]
        """Return the tasks, which can be trained, and the classical methods."""

    @hookspec
    def restore_architectures(self) -> list[ArchitectureSpec]:  # type: ignore[empty-body]
        """Return the architectures."""

    @hookspec
    def restore_datasets(self) -> list[DatasetSpec]:  # type: ignore[empty-body]
        """Return the datasets."""

    @hookspec
    def restore_losses(self) -> list[LossSpec]:  # type: ignore[empty-body]
        """Return the losses."""

    @hookspec
    def restore_metrics(self) -> list[MetricSpec]:  # type: ignore[empty-body]
        """Return the metrics."""

    @hookspec
    def restore_protocols(self) -> list[ProtocolSpec]:  # type: ignore[empty-body]
        """Return the evaluation protocols."""

    @hookspec
    def restore_commands(self) -> list[CommandSpec]:  # type: ignore[empty-body]
        """Return the commands."""

    @hookspec
    def restore_listeners(self) -> list[ListenerSpec]:  # type: ignore[empty-body]
        """Return the listeners of runs."""

    @hookspec
    def restore_converters(self) -> list[ConverterSpec]:  # type: ignore[empty-body]
        """Return the converters of checkpoints of other projects that find the task themselves."""

    @hookspec
    def restore_weights(self) -> list[WeightsSpec]:  # type: ignore[empty-body]
        """Return the trained weights that the plugin ships."""

    @hookspec
    def restore_recipes(self) -> list[RecipeSpec]:  # type: ignore[empty-body]
        """Return the recipes: settings of runs that the plugin publishes."""
