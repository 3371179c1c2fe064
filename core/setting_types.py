"""What the type of a setting says about how its value is typed: as one word, as several, or as JSON."""

from __future__ import annotations

import enum
import types
import typing
from pathlib import Path
from typing import Any, Literal

from restore.core.named import NamedSettings

WORDS = (int, float, str, Path, bool)
"""Types of single values that are typed as one word."""


def union_members(annotation: Any) -> list[Any]:
    """Return the members of a union without annotations; for any other type, the type itself."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [kind for member in typing.get_args(annotation) for kind in union_members(member)]
    return [annotation]


def unwrap(annotation: Any) -> Any:
    """Return a type without ``None`` and without annotations; several alternatives as a tuple."""
    kinds = [kind for kind in union_members(annotation) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else tuple(kinds)


def is_choice(kind: Any) -> bool:
    """Whether it is one of some values."""
    return typing.get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, enum.Enum))


def _is_scalar(kind: Any) -> bool:
    return (isinstance(kind, type) and kind in WORDS) or is_choice(kind) or is_named(kind)


def is_named(kind: Any) -> bool:
    """Whether it is typed as one word, ``NAME,setting=value``."""
    return isinstance(kind, type) and issubclass(kind, NamedSettings)


def is_list(kind: Any) -> bool:
    """Whether it holds any number of elements of one type: ``list[str]`` or ``tuple[str, ...]``."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    return (origin is list and len(arguments) == 1) or (origin is tuple and arguments[1:] == (Ellipsis,))


def item_types(kind: Any) -> list[Any]:
    """Return the types of the elements of a tuple, or the one type of those of a list; empty for other types."""
    arguments = typing.get_args(kind)
    if is_list(kind):
        return [unwrap(arguments[0])]
    if typing.get_origin(kind) is tuple:
        return [unwrap(argument) for argument in arguments]
    return []


def needs_json(kind: Any) -> bool:
    """Whether a value of the type is too complex to be typed as one or several words."""
    if isinstance(kind, tuple):
        return not all(_is_scalar(member) for member in kind)
    items = item_types(kind)
    return not (_is_scalar(kind) or (items and all(_is_scalar(item) for item in items)))
