"""Turn a settings class into command-line flags.

Every flag is optional and its value is passed on as typed. Pydantic alone validates values, whether they come from the
command line or from a file, so both get the same messages.
"""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from restore import registry
from restore.cli.settings.setting import Setting, SettingPath, list_settings
from restore.cli.settings.sources import COMMAND_LINE, Source
from restore.cli.settings.types import (
    format_limits,
    format_value,
    list_choices,
    metavar,
    refuse_empty_path,
)
from restore.core.setting_types import is_list, item_types, needs_json
from restore.core.settings import RegisteredName, RunSettings


class Flags:
    """The flags of one settings class.

    Args:
        model: the settings class.
        prefix: words before the name of each setting in its flag.
        presets: defaults that replace those of the class; the help shows them with their origin.
        reserved: flags that the command has already.
        heading: returns the heading of a setting in the help.
        only: returns whether a setting becomes a flag.
        show_registered: whether the help lists what is registered for settings that hold names; loads all plugins.

    Raises:
        ValueError: a setting has the name of a reserved flag.
    """

    def __init__(
        self,
        model: type[BaseModel],
        *,
        prefix: SettingPath = (),
        presets: Source | None = None,
        reserved: Sequence[str] = (),
        heading: Callable[[Setting], str] = lambda setting: setting.heading,
        only: Callable[[Setting], bool] = lambda _: True,
        show_registered: bool = False,
    ) -> None:
        self.model = model
        self.settings = {setting.path: setting for setting in list_settings(model, prefix) if only(setting)}
        self._presets = presets or Source("", {})
        self._sample = find_sample_defaults(model, self.settings)
        self._heading = heading
        self._show_registered = show_registered
        self._flags = _assign_flags(self.settings.values(), reserved)

    def flags(self, path: SettingPath) -> list[str]:
        """Return the flags of a setting, the dotted one first."""
        return self._flags[path]

    def all_flags(self) -> list[str]:
        """Return the flags of all settings."""
        return [flag for flags in self._flags.values() for flag in flags]

    def places(self) -> list[str]:
        """Return the names in the usage line of the settings that are typed without a flag."""
        return [setting.place for setting in self.settings.values() if setting.place]

    def parameters(self) -> list[inspect.Parameter]:
        """Return one optional parameter for each setting, for a Typer command."""
        return [self._parameter(setting) for setting in self.settings.values()]

    def source(self, given: Mapping[str, Any], arguments: Sequence[str]) -> Source:
        """Return what was typed, ready for validation.

        Args:
            given: the values of the command's parameters; those that were not typed are None or empty.
            arguments: the command line, which tells the flags as they were typed.

        Raises:
            UsageError: a path is empty.
        """
        values: dict[SettingPath, Any] = {}
        for path, setting in self.settings.items():
            value = given.get(_parameter_name(path))
            if value is not None and value != [] and value != ():
                values[path] = decode(setting, value)
                refuse_empty_path(values[path], setting.value_type, setting.label)
        return Source(COMMAND_LINE, values, {path: self._find_typed_flag(path, arguments) for path in values})

    def _find_typed_flag(self, path: SettingPath, arguments: Sequence[str]) -> str:
        """Return the flag of a setting as it was typed, else the dotted one."""
        words = {argument.split("=", 1)[0] for argument in arguments}
        if place := self.settings[path].place:
            return place
        flags = [*self._flags[path], *(f"--no-{flag[2:]}" for flag in self._flags[path])]
        return next((flag for flag in flags if flag in words), self._flags[path][0])

    def _parameter(self, setting: Setting) -> inspect.Parameter:
        flags = self._flags[setting.path]
        is_switch = setting.value_type is bool
        if setting.place:
            declared = typer.Argument(metavar=setting.place, help=self._help(setting), show_default=False)
        else:
            declared = typer.Option(
                *(f"{flag}/--no-{flag[2:]}" if is_switch else flag for flag in flags),
                help=self._help(setting),
                show_default=False,
                metavar=None if is_switch else metavar(setting.value_type),
                autocompletion=_completion(setting),
                rich_help_panel=self._heading(setting) or None,
            )
        return inspect.Parameter(
            _parameter_name(setting.path),
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=typing.Annotated[_typer_type(setting.value_type, bool(setting.place)), declared],
        )

    def _help(self, setting: Setting) -> str:
        notes = []
        if setting.path in self._presets.values:
            value = self._presets.values[setting.path]
            notes.append(f"default: {format_value(value)}, from {self._presets.origin}")
        elif setting.required:
            notes.append("required")
        elif setting.default is not PydanticUndefined and setting.default is not None:
            notes.append(f"default: {format_value(setting.default)}")
        if setting.path in self._sample:
            notes.append(f"on the sample: {format_value(self._sample[setting.path])}")
        if limits := format_limits(setting.info):
            notes.append(limits)
        if self._show_registered and (known := _list_registered_names(setting)):
            notes.append(f"registered: {' '.join(known)}")
        if is_list(setting.value_type) and not needs_json(setting.value_type):
            notes.append("repeat for several")
        description = inspect.cleandoc(setting.info.description or "")
        return " ".join(filter(None, [description, f"[{'; '.join(notes)}]" if notes else ""]))


def _list_registered_names(setting: Setting) -> list[str]:
    """Return the names that a setting can hold, if it holds one of something registered."""
    if mark := _find_mark(setting):
        entries = registry.entries(mark.kind)
        return [
            entry.full_name for entry in entries if not mark.roles or getattr(entry.spec, "role", None) in mark.roles
        ]
    return []


def _find_mark(setting: Setting) -> RegisteredName | None:
    """Return the mark of a setting that holds registered names, or that of the names in a list of settings."""
    fields = [setting.info]
    for item in item_types(setting.value_type):
        if isinstance(item, type) and issubclass(item, BaseModel):
            fields += item.model_fields.values()
    marks = (mark for field in fields for mark in field.metadata if isinstance(mark, RegisteredName))
    return next(marks, None)


def find_sample_defaults(model: type[BaseModel], paths: Iterable[SettingPath]) -> dict[SettingPath, Any]:
    """Return the defaults that apply only to a run on the built-in sample."""
    if not issubclass(model, RunSettings):
        return {}
    defaults = model.sample_defaults({})
    found: dict[SettingPath, Any] = {}
    for path in paths:
        node: Any = defaults
        for part in path:
            node = node.get(part) if isinstance(node, Mapping) else None
        if node is not None:
            found[path] = node
    return found


def _assign_flags(found: Iterable[Setting], reserved: Sequence[str]) -> dict[SettingPath, list[str]]:
    """Return the flags of every setting; a dotted flag takes precedence over a short one of the same name."""
    settings = list(found)
    taken = {*reserved, "--help", *(setting.dotted_flag for setting in settings)}
    assigned: dict[SettingPath, list[str]] = {}
    for setting in settings:
        if setting.dotted_flag in (*reserved, "--help"):
            raise ValueError(f"the setting '{setting.name}' has the same name as an option of the command")
        free = [flag for flag in setting.short_flags if flag not in taken]
        taken.update(free)
        assigned[setting.path] = [setting.dotted_flag, *free]
    return assigned


def _parameter_name(path: SettingPath) -> str:
    return "setting_" + "__".join(path)


def _typer_type(kind: Any, positional: bool) -> Any:
    """Return the type for Typer, which only decides how many words a flag takes; pydantic reads the words."""
    if kind is bool:
        return bool | None
    if not needs_json(kind) and not isinstance(kind, tuple):
        if is_list(kind) or (positional and item_types(kind)):  # pydantic checks how many there are
            return list[str] | None
        if typing.get_origin(kind) is tuple:
            return typing.Optional[tuple[tuple(str for _ in item_types(kind))]]  # type: ignore[misc]  # noqa: UP045
    return str | None


def _completion(setting: Setting) -> Callable[..., list[str]] | None:
    items = item_types(setting.value_type)
    choices = list(list_choices(items[0] if items else setting.value_type))
    if not choices and _find_mark(setting) is None:
        return None

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices or _list_registered_names(setting) if choice.startswith(incomplete)]

    # Typer needs the annotations as types, not as text.
    complete.__annotations__ = {"incomplete": str, "return": list[str]}
    return complete


def decode(setting: Setting, value: Any) -> Any:
    """Convert what pydantic cannot read from text: choices that are no text, ``none``, JSON."""
    kind = setting.value_type
    if isinstance(value, str):
        if value == "none" and setting.may_be_none and value not in list_choices(kind):
            return None  # a file of that name is ./none
        if setting.needs_json:
            try:
                return json.loads(value)
            except json.JSONDecodeError:
                return value  # pydantic rejects it, unless plain text is one of the alternatives
        return list_choices(kind).get(value, value)
    if isinstance(value, (list, tuple)):
        items = item_types(kind)
        if list(value) == ["none"] and is_list(kind) and "none" not in list_choices(items[0]):
            return []
        types = items + items[-1:] * len(value)  # also for too many values, which pydantic rejects
        return [list_choices(item).get(word, word) for item, word in zip(types, value, strict=False)]
    return value
