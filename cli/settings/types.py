"""The type of a setting on the command line: its placeholder, its choices, whether it needs JSON."""

from __future__ import annotations

import enum
import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from restore.core.errors import UsageError
from restore.core.named import NamedSettings
from restore.core.setting_types import is_choice, is_named, item_types, needs_json

_METAVARS = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH", bool: "BOOL"}
_LARGEST_SHOWN = 2**53  # a bound beyond this is a property of the number's type, not of the setting


def is_path(kind: Any) -> bool:
    """Whether it is a file or a folder rather than text."""
    members = kind if isinstance(kind, tuple) else (kind,)
    return Path in members and str not in members


def refuse_empty_path(value: Any, value_type: Any, label: str) -> None:
    """Raise ``UsageError`` if a path, or one of several, is empty: it would mean the working directory."""
    types = item_types(value_type) or [value_type]
    if "" in (value if isinstance(value, (list, tuple)) else [value]) and any(map(is_path, types)):
        raise UsageError(f"{label}: expected a file or a folder, got an empty string ('.' is the working directory)")


def list_choices(kind: Any) -> dict[str, Any]:
    """Return the values of a choice by the word that is typed for each."""
    if typing.get_origin(kind) is Literal:
        return {str(value): value for value in typing.get_args(kind)}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {str(member.value): member for member in kind}
    if isinstance(kind, tuple):
        return {word: value for member in kind for word, value in list_choices(member).items()}
    return {}


def metavar(kind: Any) -> str:
    """Return the placeholder for the value of a flag in help texts."""
    if needs_json(kind):
        return "JSON"
    if isinstance(kind, tuple):
        return "|".join(dict.fromkeys(metavar(member).strip("[]") for member in kind))
    if is_choice(kind):
        return f"[{'|'.join(list_choices(kind))}]"
    if is_named(kind):
        return "NAME[,SETTING=VALUE]"
    if items := item_types(kind):
        return " ".join(metavar(item) for item in items)
    return _METAVARS[kind]


def format_limits(info: FieldInfo) -> str:
    """Return ``>=1, <10`` from the bounds of a field."""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    # each in one piece: help texts are wrapped at spaces
    return ", ".join(f"{signs[name]}{bound}" for name, bound in find_limits(info).items())


def find_limits(info: FieldInfo) -> dict[str, float]:
    """Return the bounds of a field, also inside a union with ``None``, by pydantic's names: ge, gt, le, lt."""
    found: dict[str, float] = {}
    marks = [*info.metadata, *_inner_marks(info.annotation)]
    for name in ("ge", "gt", "le", "lt"):
        for mark in marks:
            bound = getattr(mark, name, None)
            if isinstance(bound, (int, float)) and abs(bound) < _LARGEST_SHOWN:
                found[name] = bound
    return found


def _inner_marks(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) is typing.Annotated:
        for mark in annotation.__metadata__:
            yield from mark.metadata if isinstance(mark, FieldInfo) else [mark]
        yield from _inner_marks(typing.get_args(annotation)[0])
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _inner_marks(member)


def format_value(value: Any) -> str:
    """Return a value as it would be typed."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, NamedSettings):
        return value.to_text()
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)) and not any(isinstance(item, (list, tuple, dict)) for item in value):
        return " ".join(map(format_value, value)) or "none"
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, default=str)
    return "none" if value is None else str(value)
