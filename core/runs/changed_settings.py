"""Which settings of a run differ from their defaults, and how they are typed to repeat it. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from restore.core.command_words import type_setting
from restore.core.json_text import dump_json
from restore.core.settings import RegisteredName, RunSettings, Settings, default_of, overlay

NOT_OF_THE_RESULT = frozenset({"name", "out", "report"})
"""Settings that change nothing in the result of a run; a repetition lies elsewhere."""
_ROUNDS = 6

Path_ = tuple[str, ...]


@dataclass(frozen=True)
class ChangedSetting:
    """A setting whose value is not its default."""

    path: tuple[str, ...]
    value: Any
    default: Any
    annotation: Any
    is_name: bool
    """Whether it names something registered, which has settings of its own."""

    @property
    def words(self) -> list[str]:
        """The words of a command line that set it."""
        return type_setting(self.path, self.value, self.annotation)


def list_changed(settings: RunSettings) -> list[ChangedSetting]:
    """Return the settings that make these out of the defaults, in the order of the class.

    Defaults depend on other settings: those of an architecture on its name, those of a run without data on the sample.
    With the changes alone set, a class of settings gives exactly the settings of the run.
    """
    found: dict[Path_, ChangedSetting] = {}
    for _ in range(_ROUNDS):
        fresh = [each for each in _differences(_defaults(settings, found), settings, ()) if each.path not in found]
        # names first: the other differences may be defaults of what they name
        fresh = [each for each in fresh if each.is_name] or fresh
        if not fresh:
            break
        found |= {each.path: each for each in fresh}
    order = [path for path, _ in _paths(settings, ())]
    return sorted(found.values(), key=lambda each: order.index(each.path))


def _defaults(settings: RunSettings, found: Mapping[Path_, ChangedSetting]) -> RunSettings | None:
    """Return the settings with nothing set but what was found so far; None if they need more."""
    kind = type(settings)
    tree: dict[str, Any] = {}
    for path, changed in found.items():
        branch: Any = changed.value
        for part in reversed(path):
            branch = {part: branch}
        tree = overlay(tree, branch)
    required = {name: getattr(settings, name) for name, info in kind.model_fields.items() if info.is_required()}
    try:
        return kind.model_validate({**required, **tree})
    except (ValidationError, ValueError, TypeError):
        return None


def _differences(default: Any, value: Settings, prefix: Path_) -> Iterator[ChangedSetting]:
    for name, info in type(value).model_fields.items():
        path, now = (*prefix, name), getattr(value, name)
        if path[0] in NOT_OF_THE_RESULT:
            continue
        before = getattr(default, name, None) if default is not None else default_of(info)
        is_name = any(isinstance(mark, RegisteredName) for mark in info.metadata) and isinstance(now, str)
        if isinstance(now, Settings):
            yield from _differences(before if isinstance(before, Settings) else None, now, path)
        elif not _equal(before, now):
            yield ChangedSetting(path, now, before, info.annotation, is_name)


def _paths(value: Settings, prefix: Path_) -> Iterator[tuple[Path_, Any]]:
    for name in type(value).model_fields:
        now = getattr(value, name)
        if isinstance(now, Settings):
            yield from _paths(now, (*prefix, name))
        else:
            yield (*prefix, name), now


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other) if isinstance(other, bool) else bool(one == other)


def describe_changed(settings: RunSettings, given: RunSettings) -> list[dict[str, Any]]:
    """Return the changed settings of a run as objects for its history.

    Args:
        settings: the settings of the run.
        given: the same before values were filled in that depend on the data or on the machine.
    """
    chosen = {each.path for each in list_changed(given)}
    return [_describe(each, each.path in chosen) for each in list_changed(settings)]


def describe_resumed(before: RunSettings, after: RunSettings) -> list[dict[str, Any]]:
    """Return what a resume changed, in the form of `describe_changed`; the default is the value before."""
    return [_describe(each, given=True) for each in _differences(before, after, ())]


def _describe(changed: ChangedSetting, given: bool) -> dict[str, Any]:
    """``given``: whether a person or a file chose the value; else it was decided when the run started."""
    name = ".".join(changed.path)
    shown = {"name": name, "value": _plain(changed.value), "default": _plain(changed.default)}
    return {**shown, "given": given, "words": changed.words}


def _plain(value: Any) -> Any:
    return None if value is PydanticUndefined else json.loads(dump_json(value))
