"""Read settings from a YAML or TOML file, and write them as YAML."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from restore import registry
from restore.cli.settings.setting import SettingPath
from restore.core.errors import UsageError
from restore.core.yaml_text import InvalidYaml, parse_yaml
from restore.registry.naming import did_you_mean

RESERVED = "run"
"""Top-level key that the engine writes into a run's ``config.yaml``; it holds facts, not settings."""


def find_settings_file(given: Path, task: str) -> Path:
    """Return the file that ``--config`` means: a file, or the recipe of a name.

    Args:
        given: what was typed; a file of that name comes first.
        task: full name of the task that the settings are for.

    Raises UsageError for a recipe of another task, or for a name that nothing has.
    """
    name = str(given)
    if given.exists() or given.suffix.lower() in (".yaml", ".yml", ".toml", ".json") or os.sep in name:
        return given
    try:
        entry = registry.entry("recipes", name)
    except registry.UnknownName as error:
        known = [recipe.name for recipe in registry.entries("recipes")]
        raise UsageError(
            f"--config {name}: no such file, and no recipe is called so{did_you_mean(name, known)}; 'restore recipes' "
            f"lists the recipes{error.unusable and chr(10) + error.unusable}"
        ) from None
    if entry.spec.task != task:  # type: ignore[attr-defined]
        raise UsageError(f"--config {name}: this recipe is for {entry.spec.task}, not for {task}")  # type: ignore[attr-defined]
    return Path(entry.load())


def read_settings(path: Path) -> dict[str, Any]:
    """Read the settings in a ``.toml`` or YAML file, such as the ``config.yaml`` of a run.

    Raises ``UsageError`` if the file is missing, unreadable or no mapping.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"--config {path}: no such file") from None
    except IsADirectoryError:
        raise UsageError(f"--config {path}: is a folder; give a file, such as {path / 'config.yaml'}") from None
    except UnicodeDecodeError:
        raise UsageError(f"--config {path}: is not a UTF-8 text file") from None
    settings = _from_toml(text, path) if path.suffix.lower() == ".toml" else _from_yaml(text, path)
    settings.pop(RESERVED, None)
    return settings


def _from_toml(text: str, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # its own errors, and those of numbers and dates
        raise UsageError(f"{path}: invalid TOML: {error}") from None


def _from_yaml(text: str, path: Path) -> dict[str, Any]:
    try:
        settings = parse_yaml(text)
    except InvalidYaml as error:
        where = f", line {error.line}" if error.line is not None else ""
        raise UsageError(f"{path}{where}: {error}") from None
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise UsageError(f"{path}: expected 'name: value' lines, found {type(settings).__name__}")
    if strange := [key for key in settings if not isinstance(key, str)]:
        raise UsageError(f"{path}: {strange[0]!r} is no name of a setting")
    return settings


def dump_yaml(settings: BaseModel, comment: Callable[[SettingPath], str | None] = lambda _: None) -> str:
    """Return all settings as YAML, groups indented, with what ``comment`` returns for a setting after its value."""
    return "".join(_lines(settings.model_dump(mode="json"), comment, ()))


def _lines(tree: Mapping[str, Any], comment: Callable[[SettingPath], str | None], prefix: SettingPath) -> list[str]:
    import yaml

    lines = []
    for name, value in tree.items():
        path = (*prefix, name)
        indent = "  " * len(prefix)
        note = f"  # {text}" if (text := comment(path)) else ""
        if isinstance(value, Mapping) and value:
            lines += [f"{indent}{name}:{note}\n", *_lines(value, comment, path)]
            continue
        # As a flow mapping a value of any type takes one line.
        entry = yaml.safe_dump(
            {name: value}, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
        ).strip()[1:-1]
        lines.append(f"{indent}{entry}{note}\n")
    return lines
