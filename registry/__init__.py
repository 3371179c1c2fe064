"""Who is installed and what each provides: entry points, hooks, ``plugins.toml``. Imports nothing heavy.

=================================  =====================================================================
``get("losses", "common/l1")``     the object of that name; its plugin is loaded, and no other
``entry("tasks", "srgan")``        what is registered about it; nothing of it is imported
``entries("metrics")``             everything of one kind
``plugins()``                      every plugin with its state, broken ones included
``project()``                      the ``plugins.toml`` in force
``plugin_defaults("srgan")``       the default settings that it gives to a plugin
=================================  =====================================================================

These work on one registry of this process, made on first use; :func:`reset` forgets it.
"""

from __future__ import annotations

from typing import Any

from restore.registry.discovery import Candidate, Discovery, discover
from restore.registry.errors import (
    AmbiguousName,
    MissingReference,
    PluginNotReady,
    ProjectFileError,
    RegistryError,
    RequirementUnmet,
    UnknownName,
)
from restore.registry.hooks import KINDS, SINGULAR, Kind, Register, hookimpl
from restore.registry.naming import CORE_COMMANDS
from restore.registry.project_file import Project, find_project, read_project
from restore.registry.references import Entry, locate
from restore.registry.registry import Plugin, Registry
from restore.registry.settling import State

__all__ = [
    "CORE_COMMANDS",
    "KINDS",
    "SINGULAR",
    "AmbiguousName",
    "Candidate",
    "Discovery",
    "Entry",
    "Kind",
    "MissingReference",
    "Plugin",
    "PluginNotReady",
    "Project",
    "ProjectFileError",
    "Register",
    "Registry",
    "RegistryError",
    "RequirementUnmet",
    "State",
    "UnknownName",
    "current",
    "discover",
    "entries",
    "entry",
    "find_project",
    "get",
    "hookimpl",
    "locate",
    "plugin_defaults",
    "plugins",
    "project",
    "read_project",
    "reset",
    "unmet_requirements",
]

_current: Registry | None = None


def current() -> Registry:
    """The registry of this process: the project file in force and everything installed, looked up once.

    Raises :class:`ProjectFileError` if plugins.toml is wrong.
    """
    global _current
    if _current is None:
        _current = Registry(find_project(), discover())
    return _current


def reset(registry: Registry | None = None) -> None:
    """Use ``registry`` from now on, or look everything up anew on next use; for tests and long-lived processes."""
    global _current
    _current = registry


def get(kind: str, name: str) -> Any:
    """The object called ``name``: ``get("architectures", "srgan/msrresnet")``; see :meth:`Registry.entry`."""
    return current().get(kind, name)


def entry(kind: str, name: str) -> Entry:
    """What is registered under ``name``; see :meth:`Registry.entry`."""
    return current().entry(kind, name)


def entries(kind: str) -> list[Entry]:
    """Everything of one kind, ordered by plugin. Loads all plugins."""
    return current().entries(kind)


def plugins() -> list[Plugin]:
    """Every plugin that was found, ready or not, ordered by name. Loads all plugins."""
    return current().plugins()


def plugin_defaults(plugin: str) -> dict[str, Any]:
    """The settings that plugins.toml gives under ``[plugin.NAME]``; empty if it gives none."""
    return current().plugin_defaults(plugin)


def project() -> Project:
    """The plugins.toml in force; its ``warnings`` name plugins that it mentions and that are not installed."""
    return current().project


def unmet_requirements() -> list[str]:
    """What ``required`` of plugins.toml asks for and this environment lacks, one line each."""
    return current().unmet_requirements()
