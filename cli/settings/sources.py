"""Merge settings by precedence (command line > ``--config`` > plugins.toml > defaults) and validate them once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from restore.cli.settings.setting import Setting, SettingPath, group_of, list_settings
from restore.cli.settings.types import format_value, refuse_empty_path
from restore.core.errors import UsageError
from restore.core.setting_types import is_named, item_types, unwrap
from restore.core.wrong_values import clean_message
from restore.registry.naming import close_matches

Model = TypeVar("Model", bound=BaseModel)

COMMAND_LINE = "the command line"
REQUIRED = "is required"
TOO_FEW = "has too few values"

_LONGEST = 200  # letters of a value in a message
_LISTED = 15  # settings in a message


@dataclass(frozen=True)
class Source:
    """Values by path from one place."""

    origin: str
    """The place, for messages: a file or the command line."""
    values: Mapping[SettingPath, Any]
    typed_as: Mapping[SettingPath, str] = field(default_factory=dict)
    """The flags as they were typed, for messages."""


def make_source(tree: Mapping[Any, Any], model: type[BaseModel], origin: str) -> Source:
    """Make a source from nested settings.

    Args:
        tree: the settings, groups as nested mappings.
        model: the settings class.
        origin: where they come from, for messages.

    Raises:
        UsageError: the settings class has no setting of a name, or a path is empty.
    """
    values: dict[SettingPath, Any] = {}
    _collect(tree, model, (), origin, values)
    return Source(origin, values)


def _collect(
    tree: Mapping[Any, Any], model: type[BaseModel], prefix: SettingPath, origin: str, values: dict[SettingPath, Any]
) -> None:
    for key, value in tree.items():
        path = (*prefix, str(key))
        name = ".".join(path)
        info = model.model_fields.get(str(key))
        if info is None:
            close = " or ".join(repr(".".join((*prefix, near))) for near in close_matches(str(key), model.model_fields))
            raise UsageError(f"{origin}: no such setting: '{name}'{f'; did you mean {close}?' if close else ''}")
        group = group_of(info)
        if group is None or (value is None and type(None) in getattr(info.annotation, "__args__", ())):
            refuse_empty_path(value, unwrap(info.annotation), f"{origin}: '{name}'")
            values[path] = value
        elif isinstance(value, Mapping):
            _collect(value, group, path, origin, values)
        else:
            raise UsageError(
                f"{origin}: '{name}' is a group of settings ({', '.join(group.model_fields)}), "
                f"not a single value (got {_quote(value)})"
            )


def find_typed(arguments: Sequence[str], *flags: str) -> list[str]:
    """Return the values that were typed for some flags, in order, before a command reads its line."""
    found = []
    for word, following in pairwise([*arguments, ""]):
        flag, equals, value = word.partition("=")
        if flag in flags:
            found.append(value if equals else following)
    return found


def find_origins(sources: Iterable[Source]) -> dict[SettingPath, str]:
    """Return where the value of each setting comes from; settings left at their default are absent."""
    return {path: source.origin for source in sources for path in source.values}


def validate(model: type[Model], sources: Sequence[Source]) -> Model:
    """Build settings from several sources, later ones winning.

    Raises ``UsageError`` with one line for each wrong value: its flag, what is wrong, the value and where it came from.
    """
    try:
        return model.model_validate(merge(sources))
    except ValidationError as error:
        raise UsageError(explain(error, model, sources)) from None


def merge(sources: Iterable[Source]) -> dict[str, Any]:
    """Return one tree of everything that the sources set, later ones winning."""
    tree: dict[str, Any] = {}
    for source in sources:
        for path, value in source.values.items():
            node = tree
            for part in path[:-1]:
                if not isinstance(node.get(part), dict):
                    node[part] = {}  # also replaces the null of an optional group that a later source sets
                node = node[part]
            node[path[-1]] = value
    return tree


def explain(error: ValidationError, model: type[BaseModel], sources: Sequence[Source]) -> str:
    """Describe a pydantic error with one line for each wrong setting."""
    known = {setting.path: setting for setting in list_settings(model)}
    problems: dict[tuple[SettingPath, Any], list[Any]] = {}
    for detail in error.errors(include_url=False):
        whole = tuple(str(part) for part in detail["loc"])
        path = next((whole[:length] for length in range(len(whole), 0, -1) if whole[:length] in known), whole)
        # Each member of a union reports the same value, each element of a list its own.
        element = next((part for part in detail["loc"][len(path) :] if isinstance(part, int)), None)
        problems.setdefault((path, element), []).append(detail)
    lines = [_explain_one(path, known.get(path), details, sources) for (path, _), details in problems.items()]
    if len(lines) == 1:
        return lines[0]
    more = [f"and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    return "\n  ".join([f"{len(lines)} settings are invalid:", *lines[:_LISTED], *more])


def _explain_one(path: SettingPath, setting: Setting | None, details: Sequence[Any], sources: Sequence[Source]) -> str:
    typed_as = {path: flag for source in sources for path, flag in source.typed_as.items()}
    flag = typed_as.get(path) or (setting.label if setting else ".".join(path))
    first, *others = dict.fromkeys(_message(detail, _find_part(detail, setting)) for detail in details)
    if first == REQUIRED or (first == TOO_FEW and setting is not None and setting.place):
        return f"{flag} {REQUIRED}"  # the place shows how many there must be: A B
    text = " or ".join([first, *(other.removeprefix("should be ") for other in others)])
    end = ""
    if setting:
        value = details[0]["input"]
        form = ", written as JSON" if setting.needs_json and isinstance(value, str) else ""
        end = f"{form} (got {_quote(value)}, from {find_origins(sources).get(path, 'the defaults')})"
    return f"{flag}: {text}{end}" if path else f"{text}{end}"


def _quote(value: Any) -> str:
    """Return a value as it would be typed, or the beginning of a long one."""
    text = format_value(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _find_part(detail: Any, setting: Setting | None) -> str:
    """Return which part of a setting typed as ``NAME,weight=0.5`` is wrong; empty for other settings."""
    if setting is None or not any(is_named(item) for item in item_types(setting.value_type)):
        return ""  # what pydantic adds to the path of other settings names members of unions
    return ".".join(name for name in detail["loc"][len(setting.path) :] if isinstance(name, str))


def _message(detail: Any, part: str) -> str:
    """Return pydantic's message without the words that do not help at a command line, with the part that it is of."""
    if detail["type"] == "missing":
        return TOO_FEW if isinstance(detail["loc"][-1], int) else REQUIRED
    if detail["type"] == "extra_forbidden":
        return f"there is no {part!r}" if part else "no such setting"
    message = clean_message(str(detail["msg"]))
    return f"{part} {message}" if part and message.startswith("should") else message
