"""What can go wrong between a name and the thing it stands for, each with the exit status it deserves.

The messages are written for the person at the command line; they are shown as they are, without a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence


class RegistryError(LookupError):
    """Base of everything the registry raises."""

    exit_status = 1


class UnknownName(RegistryError):
    """Nothing ready has this name; the message suggests close ones."""

    exit_status = 2

    def __init__(self, message: str, *, name: str = "", close: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.close = tuple(close)
        """Names that the person may have meant, best first."""


class AmbiguousName(RegistryError):
    """Several plugins have something of this short name; the message lists the full ones."""

    exit_status = 2

    def __init__(self, message: str, *, name: str, candidates: Sequence[str]) -> None:
        super().__init__(message)
        self.name = name
        self.candidates = tuple(candidates)


class PluginNotReady(RegistryError):
    """The plugin exists but is broken, incompatible, in conflict or disabled; the message says why."""


class MissingReference(RegistryError):
    """A plugin is ready, but something it refers to cannot be imported."""


class RequirementUnmet(RegistryError):
    """A distribution that ``required`` of plugins.toml asks for is absent or too old."""

    exit_status = 2


class ProjectFileError(RegistryError):
    """``plugins.toml`` cannot be read or says something that has no meaning."""

    exit_status = 2
