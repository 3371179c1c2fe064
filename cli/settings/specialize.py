"""Add the settings of what is chosen by name, such as an architecture, to a settings class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, create_model

from restore import registry
from restore.cli.settings.file import find_settings_file, read_settings
from restore.cli.settings.setting import group_of, list_settings
from restore.cli.settings.sources import find_typed
from restore.core.errors import UsageError
from restore.core.settings import RegisteredName, Settings, default_of, overlay

S = TypeVar("S", bound=Settings)


def specialize(model: type[S], tree: Mapping[str, Any]) -> type[S]:
    """Return a settings class whose groups have the settings of what ``tree`` names, as those of an architecture.

    Args:
        model: the settings class.
        tree: values that were set; those of other settings do not matter.
    """
    changed: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        group, values = group_of(info), tree.get(name)
        if group is None or not issubclass(group, Settings) or not isinstance(values, Mapping):
            continue
        fitting = specialize(group.specialized(values), values)
        default = default_of(info)
        if fitting is not group and isinstance(default, Settings):
            remaining = default.values_below(values)
            changed[name] = (fitting, Field(default_factory=lambda c=fitting, v=remaining: c.model_validate(v)))
    if not changed:
        return model
    made = create_model(model.__name__, __base__=model, __module__=model.__module__, **changed)
    made.__doc__ = model.__doc__
    return made


def find_names(entry: registry.Entry, model: type[Settings], arguments: Sequence[str]) -> dict[str, Any]:
    """Return the registered names that are in force, as a tree, before any setting is validated.

    The command line wins over ``--config`` or the resumed run, and these over plugins.toml. A file that cannot be read
    is left for those who need its values.

    Args:
        entry: the task.
        model: its settings class.
        arguments: the command line.
    """
    trees: list[Mapping[str, Any]] = [registry.project().defaults.get(entry.plugin, {})]
    for flag in ("--config", "--resume"):
        for given in find_typed(arguments, flag)[-1:]:
            with suppress(UsageError, OSError, registry.RegistryError):
                resumed = flag == "--resume"
                file = Path(given) / "config.yaml" if resumed else find_settings_file(Path(given), entry.full_name)
                trees.append(read_settings(file))
    found: dict[str, Any] = {}
    for tree in (*trees, find_typed_names(model, arguments)):
        found = overlay(found, tree)
    return found


def find_typed_names(model: type[Settings], arguments: Sequence[str]) -> dict[str, Any]:
    """Return the registered names on the command line, as a tree.

    Args:
        model: the settings class.
        arguments: the command line.
    """
    typed: dict[str, Any] = {}
    for setting in list_settings(model):
        if any(isinstance(mark, RegisteredName) for mark in setting.info.metadata):
            for value in find_typed(arguments, setting.dotted_flag, *setting.short_flags)[-1:]:
                tree: Any = value
                for part in reversed(setting.path):
                    tree = {part: tree}
                typed = overlay(typed, tree)
    return typed
