"""Find the plugin that the user names: an installed one, or the one in a folder."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import metadata as read_metadata
from pathlib import Path
from typing import Any

from restore import registry
from restore.core.errors import UsageError
from restore.registry.discovery import GROUP, normalize_distribution
from restore.registry.naming import did_you_mean, normalize_plugin


@dataclass(frozen=True)
class Metadata:
    """What a distribution says about itself."""

    description: str
    license: str
    """Empty if it names none."""


@dataclass(frozen=True)
class Target:
    """The plugin to check; the registry knows it."""

    plugin: registry.Plugin
    module: str
    """Module of the plugin."""
    metadata: Metadata | None
    """None for a local module, which has no distribution."""

    @property
    def entries(self) -> list[registry.Entry]:
        """Everything that the plugin provides."""
        if self.plugin.state not in ("ready", "local"):
            return []
        return [
            entry for kind in registry.KINDS for entry in registry.entries(kind) if entry.plugin == self.plugin.name
        ]


def find_target(name: str) -> Target:
    """Return the plugin that ``name`` stands for: a plugin, its distribution, or a folder or file with a plugin.

    A folder is made importable in this process and in those that it starts. Raises UsageError for an unknown name.
    """
    wanted = normalize_plugin(name)
    for plugin in registry.plugins():
        if plugin.name == wanted or (name.startswith("restore-") and _is_distribution(plugin, name)):
            return _find_installed(plugin)
    path = Path(name)
    if path.exists():
        return _in_folder(path.resolve())
    known = [plugin.name for plugin in registry.plugins()]
    if path.suffix or any(separator in name for separator in (os.sep, os.altsep or "/")):
        raise UsageError(f"{name}: no such file or folder")
    hint = did_you_mean(wanted, known) or f"; installed: {', '.join(known)}"
    raise UsageError(f"no plugin is called {name!r}{hint}")


def _is_distribution(plugin: registry.Plugin, name: str) -> bool:
    return normalize_distribution(plugin.distribution) == normalize_distribution(name)


def _find_installed(plugin: registry.Plugin) -> Target:
    for candidate in registry.discover().candidates:
        if (candidate.name, candidate.distribution) == (plugin.name, plugin.distribution):
            return Target(plugin, _module(candidate.value), _metadata_of(candidate.distribution))
    return Target(plugin, plugin.name, None)


def _module(value: str) -> str:
    """Return the module of an entry point."""
    return value.partition("[")[0].partition(":")[0].strip()


def _metadata_of(distribution: str | None) -> Metadata | None:
    if distribution is None:
        return None
    try:
        found = read_metadata(distribution)
    except PackageNotFoundError:
        return None
    fields = {name: " ".join((found.get_all(name) or [""])[0].split()) for name in ("Summary", "License-Expression")}
    stated = fields["License-Expression"] or (found.get_all("License") or [""])[0].strip()
    stated = stated or _license_of(found.get_all("Classifier") or [])
    return Metadata(fields["Summary"], "" if stated == "UNKNOWN" else stated)


def _license_of(classifiers: list[str]) -> str:
    return next((line.rpartition("::")[2].strip() for line in classifiers if line.startswith("License ::")), "")


def _in_folder(path: Path) -> Target:
    """Return the plugin in a checkout, a package folder or a file."""
    if path.is_dir() and (path / "pyproject.toml").is_file():
        return _in_checkout(path)
    if path.suffix == ".py" or (path / "__init__.py").is_file():
        return _use(registry.Candidate(path.name.removesuffix(".py"), path.stem, path=path), None)
    raise UsageError(f"{path}: expected a folder with a pyproject.toml or an __init__.py, or a .py file")


def _in_checkout(folder: Path) -> Target:
    file = folder / "pyproject.toml"
    try:
        project: Mapping[str, Any] = tomllib.loads(file.read_text("utf-8")).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: invalid TOML: {error}") from error
    declared = project.get("entry-points", {}).get(GROUP, {})
    if not declared:
        raise UsageError(f'{file}: declares no plugin; add [project.entry-points."{GROUP}"] with its name and module')
    if len(declared) > 1:
        raise UsageError(f"{file}: declares several plugins; install it and check each: {', '.join(declared)}")
    ((name, value),) = declared.items()
    source = str(folder / "src" if (folder / "src").is_dir() else folder)
    sys.path.insert(0, source)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    candidate = registry.Candidate(
        name,
        value,
        distribution=project.get("name"),
        version=project.get("version"),
        requires=tuple(project.get("dependencies", ())),
    )
    stated = project.get("license", "")
    if isinstance(stated, dict):
        stated = stated.get("text") or stated.get("file") or ""
    stated = stated or _license_of(project.get("classifiers", []))
    return _use(candidate, Metadata(project.get("description", ""), stated))


def _use(candidate: registry.Candidate, metadata: Metadata | None) -> Target:
    """Make the registry know a plugin, in place of the same one if it is installed too."""
    own = normalize_distribution(candidate.distribution)
    others = [
        other
        for other in registry.discover().candidates
        if candidate.path is not None or normalize_distribution(other.distribution) != own
    ]
    registry.reset(registry.Registry(registry.Project(), [*others, candidate]))
    for plugin in registry.plugins():
        if (plugin.name, plugin.distribution, plugin.path) == (candidate.name, candidate.distribution, candidate.path):
            return Target(plugin, _module(candidate.value), metadata)
    raise AssertionError(f"the registry does not know {candidate}")
