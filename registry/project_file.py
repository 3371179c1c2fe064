"""Read ``plugins.toml``: which plugins a project uses, and with which settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from restore.registry.errors import ProjectFileError
from restore.registry.naming import did_you_mean

FILE_NAME: Final = "plugins.toml"
VARIABLE: Final = "RESTORE_PLUGINS_TOML"

_LONGEST: Final = 1000  # letters of an error, which may quote a value
_KEYS: Final = ("enabled", "disabled", "paths", "required", "plugin", "distribution")


@dataclass(frozen=True)
class Project:
    """The contents of ``plugins.toml``; without one, every installed plugin is used with its own defaults."""

    path: Path | None = None
    """The file in force; ``None`` if there is none."""
    enabled: tuple[str, ...] | None = None
    """The only installed plugins to use; ``None``: all."""
    disabled: tuple[str, ...] = ()
    """Plugins that are not used."""
    paths: tuple[Path, ...] = ()
    """Local plugins: module files or package folders, absolute."""
    required: tuple[str, ...] = ()
    """Distributions that must be installed, such as ``restore-demo>=0.2``."""
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Default settings of each plugin, nested as in a configuration file."""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """Which plugin to use if several have the same name: its distribution, or one of ``paths``."""
    warnings: tuple[str, ...] = ()
    """Problems that do not prevent the use of the file."""


def find_project(folder: Path | None = None) -> Project:
    """Return the project file in force.

    That is the one in ``folder`` (by default the working directory), else the one that the environment variable
    ``RESTORE_PLUGINS_TOML`` names, else the one in :func:`config_folder`, if there is a home and it can be read.

    Raises :class:`ProjectFileError` if a file cannot be read, or if the variable names one that does not exist.
    """
    here = (folder or Path.cwd()) / FILE_NAME
    if here.exists():
        return read_project(here)
    named = os.environ.get(VARIABLE)
    if named:
        try:
            return read_project(expand_home(named))
        except ValueError as error:
            raise ProjectFileError(f"${VARIABLE}: {error}") from None
    try:
        own = config_folder() / FILE_NAME
        exists = own.exists()
    except (OSError, RuntimeError):
        return Project()
    return read_project(own) if exists else Project()


def expand_home(text: str) -> Path:
    """Return a path with ``~`` and ``~user`` expanded. Raises ValueError if the home directory is unknown."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"{text!r}: cannot determine the home directory for ~; write the full path") from None


def config_folder() -> Path:
    """Return the user's configuration folder on this system. Raises RuntimeError if there is no home directory."""
    from platformdirs import user_config_path

    folder = user_config_path("restore", appauthor=False, roaming=True)
    if folder.parts[0] == "~":  # platformdirs leaves it unexpanded
        raise RuntimeError("cannot determine the home directory")
    return folder


def read_project(path: Path) -> Project:
    """Read and check one project file. Raises :class:`ProjectFileError`, which names the file and the key."""
    import tomllib

    path = path.absolute()
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise ProjectFileError(f"{path}: no such file (named by ${VARIABLE})") from None
    except OSError as error:
        raise ProjectFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, and of its numbers and dates
        raise ProjectFileError(f"{path}: invalid TOML: {error}") from error
    return _Reader(path, content).project()


class _Reader:
    """Checks each key of one file; its errors name both."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self.path = path
        self.content = content

    def project(self) -> Project:
        for key in self.content:
            if key not in _KEYS:
                raise self._error(f"unknown key {key!r}{did_you_mean(key, _KEYS)}")
        return Project(
            path=self.path,
            enabled=self._strings("enabled") if "enabled" in self.content else None,
            disabled=self._strings("disabled"),
            paths=tuple(self.path.parent / self._expand_home(text, "paths") for text in self._strings("paths")),
            required=self._requirements(),
            defaults=self._tables("plugin"),
            chosen=self._choices(),
        )

    def _strings(self, key: str) -> tuple[str, ...]:
        value = self.content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(f"{key} must be a list of strings, not {value!r}")
        return tuple(value)

    def _expand_home(self, text: str, key: str) -> Path:
        try:
            return expand_home(text)
        except ValueError as error:
            raise self._error(f"{key}: {error}") from None

    def _requirements(self) -> tuple[str, ...]:
        required = self._strings("required")
        if required:
            from restore.registry.compatibility import InvalidRequirement, parse_requirement

            for line in required:
                try:
                    parse_requirement(line)
                except InvalidRequirement as error:
                    raise self._error(f"required: {error}") from error
        return required

    def _tables(self, key: str) -> dict[str, dict[str, Any]]:
        table = self._table(key)
        for name, value in table.items():
            if not isinstance(value, dict):
                raise self._error(f"[{key}.{name}] must be a table of settings, not {value!r}")
        return table

    def _choices(self) -> dict[str, str]:
        table = self._table("distribution")
        for name, value in table.items():
            if not isinstance(value, str):
                raise self._error(f"[distribution] {name} must be the name of a distribution, not {value!r}")
            self._expand_home(value, f"[distribution] {name}")  # it may also be one of `paths`
        return table

    def _table(self, key: str) -> dict[str, Any]:
        value = self.content.get(key, {})
        if not isinstance(value, dict):
            raise self._error(f"[{key}] must be a table, not {value!r}")
        return value

    def _error(self, message: str) -> ProjectFileError:
        short = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
        return ProjectFileError(f"{self.path}: {short}")
