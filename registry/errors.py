"""Errors of the registry, each with the exit status of a command that fails because of it.

The messages are written for the user and are shown unchanged, without a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence


class RegistryError(LookupError):
    """Base of everything the registry raises."""

    exit_status = 1


class UnknownName(RegistryError):
    """No usable plugin has something of this name; the message suggests close ones."""

    exit_status = 2

    def __init__(self, message: str, *, name: str = "", close: Sequence[str] = (), unusable: str = "") -> None:
        super().__init__(message)
        self.name = name
        self.close = tuple(close)
        """Close names, best first."""
        self.unusable = unusable
        """A line about the installed plugins that cannot be used, one of which may have it; empty if there are none."""


class AmbiguousName(RegistryError):
    """Several plugins have something of this short name; the message lists the full ones."""

    exit_status = 2

    def __init__(self, message: str, *, name: str, candidates: Sequence[str]) -> None:
        super().__init__(message)
        self.name = name
        self.candidates = tuple(candidates)


class WrongRole(RegistryError):
    """Something is registered under the name, but for another role; the message lists what has the right one."""

    exit_status = 2


class PluginNotReady(RegistryError):
    """The plugin exists but is broken, incompatible, in conflict or disabled; the message says why."""


class MissingReference(RegistryError):
    """A plugin is ready, but something that it refers to cannot be imported."""


class RequirementUnmet(RegistryError):
    """A distribution in ``required`` of plugins.toml is missing or too old."""

    exit_status = 2


class ProjectFileError(RegistryError):
    """``plugins.toml`` cannot be read or has an invalid entry."""

    exit_status = 2
