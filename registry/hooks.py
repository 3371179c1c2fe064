"""What a plugin may provide: six hooks of one shape, each called once with a ``register`` bound to the plugin.

``register(name, reference, *, summary="", **details)`` takes a ``"module:attribute"`` string and imports nothing; the
object is imported when somebody uses it. So a plugin's module costs nothing to load, whatever its networks cost::

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
"""What one of each kind is called in messages."""

hookspec = pluggy.HookspecMarker("restore")
hookimpl = pluggy.HookimplMarker("restore")
"""Marks a function of a plugin as one of the six hooks."""


class Register(Protocol):
    """What a hook is called with."""

    def __call__(self, name: str, reference: str, *, summary: str = "", **details: Any) -> None:
        """Register ``"module:attribute"`` under ``name``; the details that a kind knows stand at its hook."""
        ...


class HookSpecifications:
    """The six hooks."""

    @hookspec
    def restore_tasks(self, register: Register) -> None:
        """Register tasks, the names that ``restore train`` accepts: lower case, words joined by hyphens.

        The reference is a class built as ``Task(settings)``. Details, all references but the last:

        - ``settings`` (required): the settings class, which rebuilds the task.
        - ``predict``, ``evaluate``: settings classes whose fields become flags of these commands.
        - ``imports``: a mapping of the code bases whose checkpoints ``restore import`` understands.
        - ``weights``: ``False`` for a fixed method, used by its name instead of by a weights file.
        """

    @hookspec
    def restore_architectures(self, register: Register) -> None:
        """Register factories of ``torch.nn.Module``."""

    @hookspec
    def restore_datasets(self, register: Register) -> None:
        """Register factories of data sets."""

    @hookspec
    def restore_losses(self, register: Register) -> None:
        """Register factories of losses."""

    @hookspec
    def restore_metrics(self, register: Register) -> None:
        """Register metrics and evaluation protocols."""

    @hookspec
    def restore_commands(self, register: Register) -> None:
        """Register verbs of the plugin's own: ``"sample"``, or ``"data align"`` with a group before the name.

        The reference is the function that does it. Details, both required: ``settings``, the reference of the settings
        class whose fields become flags; ``needs``, ``"weights"`` if its first argument is a run or a weights file,
        otherwise ``"nothing"``. Names of the tool's own commands are refused.
        """
