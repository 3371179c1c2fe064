"""The kinds of things that a plugin provides."""

from __future__ import annotations

from typing import Final, Literal, get_args

Kind = Literal[
    "tasks",
    "architectures",
    "datasets",
    "losses",
    "metrics",
    "protocols",
    "commands",
    "listeners",
    "converters",
    "weights",
    "recipes",
]
"""A kind of thing that a plugin provides."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""All kinds."""

SINGULAR: Final[dict[Kind, str]] = {
    "tasks": "task",
    "architectures": "architecture",
    "datasets": "dataset",
    "losses": "loss",
    "metrics": "metric",
    "protocols": "protocol",
    "commands": "command",
    "listeners": "listener",
    "converters": "converter",
    "weights": "weights",
    "recipes": "recipe",
}
"""The singular of each kind, for messages."""

DECLARED: Final[tuple[Kind, ...]] = ("tasks", "weights", "recipes")
"""Kinds whose names a distribution may declare in entry-point groups, such as ``restore.tasks``.

They are what a command line names by one word, which is then found without loading every plugin.
"""
