"""Which plugins are installed and what each provides: entry points, hooks, ``plugins.toml``. Imports nothing heavy.

=================================  =====================================================================
``get("losses", "common/l1")``     the object of that name; loads its plugin, and no other
``entry("tasks", "srgan")``        what is registered about it; imports nothing of it
``entries("metrics")``             everything of one kind
``plugins()``                      every plugin with its state, including broken ones
``project()``                      the ``plugins.toml`` in force
``plugin_defaults("srgan")``       the default settings that it gives to a plugin
=================================  =====================================================================

These functions share one registry, which is made on first use; :func:`reset` discards it.
"""

from __future__ import annotations

from restore.registry.discovery import Candidate, Discovery, discover
from restore.registry.errors import (
    AmbiguousName,
    MissingReference,
    PluginNotReady,
    ProjectFileError,
    RegistryError,
    RequirementUnmet,
    UnknownName,
    WrongRole,
)
from restore.registry.hooks import hookimpl
from restore.registry.kinds import KINDS, SINGULAR, Kind
from restore.registry.naming import CORE_COMMANDS
from restore.registry.project_file import Project, find_project, read_project
from restore.registry.references import Entry, resolve_reference
from restore.registry.registry import (
    Registry,
    current,
    entries,
    entry,
    first_entry,
    get,
    plugin_defaults,
    plugins,
    project,
    reset,
    unmet_requirements,
)
from restore.registry.resolution import Plugin, State
from restore.registry.roles import ROLES
from restore.registry.specs import (
    ArchitectureSpec,
    CommandSpec,
    ConverterSpec,
    DatasetSpec,
    InvalidSpec,
    ListenerSpec,
    LossSpec,
    MetricSpec,
    ProtocolSpec,
    RecipeSpec,
    Spec,
    TaskSpec,
    WeightsSpec,
)

__all__ = [
    "CORE_COMMANDS",
    "KINDS",
    "ROLES",
    "SINGULAR",
    "AmbiguousName",
    "ArchitectureSpec",
    "Candidate",
    "CommandSpec",
    "ConverterSpec",
    "DatasetSpec",
    "Discovery",
    "Entry",
    "InvalidSpec",
    "Kind",
    "ListenerSpec",
    "LossSpec",
    "MetricSpec",
    "MissingReference",
    "Plugin",
    "PluginNotReady",
    "Project",
    "ProjectFileError",
    "ProtocolSpec",
    "RecipeSpec",
    "Registry",
    "RegistryError",
    "RequirementUnmet",
    "Spec",
    "State",
    "TaskSpec",
    "UnknownName",
    "WeightsSpec",
    "WrongRole",
    "current",
    "discover",
    "entries",
    "entry",
    "find_project",
    "first_entry",
    "get",
    "hookimpl",
    "plugin_defaults",
    "plugins",
    "project",
    "read_project",
    "reset",
    "resolve_reference",
    "unmet_requirements",
]
