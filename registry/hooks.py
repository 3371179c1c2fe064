"""What a plugin may provide: six hooks of the same form, each called once with a ``register`` function.

``register(name, reference, *, summary="", **details)`` takes a ``"module:attribute"`` string and imports nothing; the
object is imported when it is used. A plugin's module is therefore fast to load, whatever its networks import::

    from restore.registry import hookimpl


    @hookimpl
    def restore_tasks(register):
        register(
            "demo", "restore_demo.task:Demo", settings="restore_demo.settings:DemoSettings", summary="Shows how."
        )
"""

from __future__ import annotations

from typing import Any, Final, Literal, Protocol, get_args

import pluggy

Kind = Literal["tasks", "architectures", "datasets", "losses", "metrics", "commands"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

SINGULAR: Final[dict[Kind, str]] = {
    "tasks": "task",
    "architectures": "architecture",
    "datasets": "dataset",
    "losses": "loss",
    "metrics": "metric",
    "commands": "command",
}
"""The singular of each kind, for messages."""

hookspec = pluggy.HookspecMarker("restore")
hookimpl = pluggy.HookimplMarker("restore")
"""Marks a function of a plugin as one of the six hooks."""


class Register(Protocol):
    """What a hook is called with."""

    def __call__(self, name: str, reference: str, *, summary: str = "", **details: Any) -> None:
        """Register ``"module:attribute"`` under ``name``; each hook documents the details of its kind."""
        ...


class HookSpecifications:
    """The six hooks."""

    @hookspec
    def restore_tasks(self, register: Register) -> None:
        """Register tasks, which ``restore train`` accepts by name: lower-case words joined by hyphens.

        The reference is a class that is built as ``Task(settings)``. Details, all but the last are references:

        - ``settings`` (required): the settings class, from which the task is rebuilt.
        - ``predict``, ``evaluate``: settings classes whose fields become flags of these commands.
        - ``imports``: a mapping of the code bases whose checkpoints ``restore import`` converts.
        - ``weights``: ``False`` for a classical method, which is used by its name instead of a weights file.
        """

    @hookspec
    def restore_architectures(self, register: Register) -> None:
        """Register factories of ``torch.nn.Module``."""

    @hookspec
    def restore_datasets(self, register: Register) -> None:
        """Register factories of datasets."""

    @hookspec
    def restore_losses(self, register: Register) -> None:
        """Register factories of losses."""

    @hookspec
    def restore_metrics(self, register: Register) -> None:
        """Register metrics and evaluation protocols."""

    @hookspec
    def restore_commands(self, register: Register) -> None:
        """Register commands of the plugin: ``"sample"``, or ``"data align"`` with a group before the name.

        The reference is the function to call. Details, both required: ``settings``, the reference of the settings class
        whose fields become flags; ``needs``, ``"weights"`` if the first argument is a run or a weights file, otherwise
        ``"nothing"``. Names of the tool's own commands are rejected.
        """
