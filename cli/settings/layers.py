"""Lay settings over each other - command line over file over plugins.toml over defaults - and validate them once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from restore.cli.settings.kinds import plain, shown
from restore.cli.settings.setting import SettingPath, group_of, refuse_empty_path, settings_of
from restore.cli.suggestions import did_you_mean
from restore.core.errors import UsageError

Model = TypeVar("Model", bound=BaseModel)

COMMAND_LINE = "the command line"
REQUIRED = "must be given"


@dataclass(frozen=True)
class Layer:
    """Values by path, and what to call the place that they come from."""

    origin: str
    values: Mapping[SettingPath, Any]
    typed_as: Mapping[SettingPath, str] = field(default_factory=dict)
    """The flags that a person typed, for messages about them."""


def layer(tree: Mapping[Any, Any], model: type[BaseModel], origin: str) -> Layer:
    """A layer from nested settings; refuses names that the settings class has not, and empty paths."""
    found: dict[SettingPath, Any] = {}
    _collect(tree, model, (), origin, found)
    return Layer(origin, found)


def _collect(
    tree: Mapping[Any, Any], model: type[BaseModel], prefix: SettingPath, origin: str, found: dict[SettingPath, Any]
) -> None:
    for key, value in tree.items():
        path = (*prefix, str(key))
        info = model.model_fields.get(str(key))
        if info is None:
            raise UsageError(f"{origin}: there is no setting '{'.'.join(path)}'.{_close_setting(path, model, prefix)}")
        group = group_of(info.annotation)
        if group is None or (value is None and type(None) in getattr(info.annotation, "__args__", ())):
            refuse_empty_path(value, plain(info.annotation), f"{origin}: '{'.'.join(path)}'")
            found[path] = value
        elif isinstance(value, Mapping):
            _collect(value, group, path, origin, found)
        else:
            raise UsageError(
                f"{origin}: '{'.'.join(path)}' is a group of settings ({', '.join(group.model_fields)}), "
                f"not the value {shown(value)}"
            )


def _close_setting(path: SettingPath, model: type[BaseModel], prefix: SettingPath) -> str:
    """A suggestion from the same group, written in full."""
    names = {name: ".".join((*prefix, name)) for name in model.model_fields}
    suggestion = did_you_mean(path[-1], names)
    for name, full in names.items():
        suggestion = suggestion.replace(f"'{name}'", f"'{full}'")
    return suggestion


def origins(layers: Iterable[Layer]) -> dict[SettingPath, str]:
    """Where the value of each setting comes from; settings left at their default are absent."""
    return {path: each.origin for each in layers for path in each.values}


def validated(model: type[Model], layers: Sequence[Layer]) -> Model:
    """The settings that the layers make, later ones winning.

    Raises ``UsageError`` with one line for each wrong value: its flag, what is wrong, the value and where it came from.
    """
    try:
        return model.model_validate(nested_values(layers))
    except ValidationError as error:
        raise UsageError(explained(error, model, layers)) from None


def nested_values(layers: Iterable[Layer]) -> dict[str, Any]:
    """One tree of what the layers set, later ones winning, and nothing else."""
    tree: dict[str, Any] = {}
    for each in layers:
        for path, value in each.values.items():
            node = tree
            for part in path[:-1]:
                if not isinstance(node.get(part), dict):
                    node[part] = {}  # also replaces the null of an optional group that a later layer sets
                node = node[part]
            node[path[-1]] = value
    return tree


def explained(error: ValidationError, model: type[BaseModel], layers: Sequence[Layer]) -> str:
    """One line for each setting that pydantic found wrong."""
    known = {setting.path: setting for setting in settings_of(model)}
    came_from = origins(layers)
    typed_as = {path: flag for each in layers for path, flag in each.typed_as.items()}
    problems: dict[tuple[SettingPath, Any], list[Any]] = {}
    for detail in error.errors(include_url=False):
        whole = tuple(str(part) for part in detail["loc"])
        path = next((whole[:length] for length in range(len(whole), 0, -1) if whole[:length] in known), whole)
        # Members of a union complain about one value each, elements of a list about one each of several.
        element = next((part for part in detail["loc"][len(path) :] if isinstance(part, int)), None)
        problems.setdefault((path, element), []).append(detail)
    lines = []
    for (path, _), details in problems.items():
        flag = typed_as.get(path) or (known[path].called if path in known else ".".join(path))
        first, *others = dict.fromkeys(map(_message, details))
        text = " or ".join([first, *(other.removeprefix("should be ") for other in others)])
        start = "" if not path else f"{flag} " if text == REQUIRED else f"{flag}: "
        end = ""
        if path in known and text != REQUIRED:
            value = details[0]["input"]
            form = ", written as JSON" if known[path].is_json and isinstance(value, str) else ""
            end = f"{form} (got {shown(value)}, from {came_from.get(path, 'the defaults')})"
        lines.append(f"{start}{text}{end}")
    return lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} settings cannot be used:", *lines])


def _message(detail: Any) -> str:
    """Pydantic's message without the words that a person at a command line has no use for."""
    if detail["type"] == "missing":
        return REQUIRED
    if detail["type"] == "extra_forbidden":
        return "there is no such setting"
    message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if detail["type"].endswith("_parsing"):
        message = message.partition(", unable to parse")[0]
    return re.sub("^[Ii]nput should", "should", message)
