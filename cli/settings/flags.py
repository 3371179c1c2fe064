"""Turn a settings class into command-line flags.

Every flag is optional and handed on as it was typed, so that one validation, pydantic's, judges values from the command
line and from files alike, in the same words.
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

from restore.cli.settings.kinds import choices_of, is_json, is_list, items_of, limits_of, metavar, shown
from restore.cli.settings.setting import Setting, SettingPath, refuse_empty_path, settings_of
from restore.core.settings import RunSettings


class Flags:
    """The flags of one settings class.

    ``presets`` are effective defaults by path with the name of where they come from, shown in the help. ``reserved``
    are flags that the command has already.
    """

    def __init__(
        self,
        model: type[BaseModel],
        *,
        presets: Mapping[SettingPath, tuple[Any, str]] | None = None,
        reserved: Sequence[str] = (),
        heading: Callable[[Setting], str] = lambda setting: setting.heading,
        only: Callable[[Setting], bool] = lambda _: True,
    ) -> None:
        self.model = model
        self.settings = {setting.path: setting for setting in settings_of(model) if only(setting)}
        self._presets = presets or {}
        self._sample = _sample_defaults(model, self.settings)
        self._heading = heading
        self._flags = _assigned(self.settings.values(), reserved)

    def flags(self, path: SettingPath) -> list[str]:
        """What may be typed for a setting, the dotted flag first."""
        return self._flags[path]

    def places(self) -> list[str]:
        """What stands in the usage line for settings that are typed without a flag."""
        return [setting.place for setting in self.settings.values() if setting.place]

    def parameters(self) -> list[inspect.Parameter]:
        """One optional parameter a setting, for a Typer command."""
        return [self._parameter(setting) for setting in self.settings.values()]

    def typed(self, given: Mapping[str, Any]) -> dict[SettingPath, Any]:
        """The settings among a command's parameters that were typed, ready for validation.

        Raises ``UsageError`` for an empty word where a path should be: it would mean the current folder.
        """
        found: dict[SettingPath, Any] = {}
        for path, setting in self.settings.items():
            value = given.get(_parameter_name(path))
            if value is not None and value != [] and value != ():
                found[path] = _decoded(setting, value)
                refuse_empty_path(found[path], setting.kind, setting.called)
        return found

    def typed_as(self, path: SettingPath, arguments: Sequence[str]) -> str:
        """The flag for a setting in the words of the person who typed it, else the dotted one."""
        words = {argument.split("=", 1)[0] for argument in arguments}
        if place := self.settings[path].place:
            return place
        flags = [*self._flags[path], *(f"--no-{flag[2:]}" for flag in self._flags[path])]
        return next((flag for flag in flags if flag in words), self._flags[path][0])

    def _parameter(self, setting: Setting) -> inspect.Parameter:
        flags = self._flags[setting.path]
        is_switch = setting.kind is bool
        if setting.place:
            declared = typer.Argument(metavar=setting.place, help=self._help(setting), show_default=False)
        else:
            declared = typer.Option(
                *(f"{flag}/--no-{flag[2:]}" if is_switch else flag for flag in flags),
                help=self._help(setting),
                show_default=False,
                metavar=None if is_switch else metavar(setting.kind),
                autocompletion=_completion(setting),
                rich_help_panel=self._heading(setting) or None,
            )
        return inspect.Parameter(
            _parameter_name(setting.path),
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=typing.Annotated[_typer_type(setting.kind, bool(setting.place)), declared],
        )

    def _help(self, setting: Setting) -> str:
        notes = []
        if setting.path in self._presets:
            value, origin = self._presets[setting.path]
            notes.append(f"default: {shown(value)}, from {origin}")
        elif setting.required:
            notes.append("required")
        elif setting.default is not PydanticUndefined and setting.default is not None:
            notes.append(f"default: {shown(setting.default)}")
        if setting.path in self._sample:
            notes.append(f"on the sample: {shown(self._sample[setting.path])}")
        if limits := limits_of(setting.info):
            notes.append(limits)
        if is_list(setting.kind) and not is_json(setting.kind):
            notes.append("repeat for several")
        description = inspect.cleandoc(setting.info.description or "")
        return " ".join(filter(None, [description, f"[{'; '.join(notes)}]" if notes else ""]))


def _sample_defaults(model: type[BaseModel], paths: Iterable[SettingPath]) -> dict[SettingPath, Any]:
    """Defaults by path that hold only where a run is on the embedded sample."""
    if not issubclass(model, RunSettings):
        return {}
    found: dict[SettingPath, Any] = {}
    for path in paths:
        node: Any = model.sample_defaults({})
        for part in path:
            node = node.get(part) if isinstance(node, Mapping) else None
        if node is not None:
            found[path] = node
    return found


def _assigned(found: Iterable[Setting], reserved: Sequence[str]) -> dict[SettingPath, list[str]]:
    """Flags of every setting; a short flag gives way to a dotted one of the same name."""
    settings = list(found)
    taken = {*reserved, "--help", *(setting.dotted_flag for setting in settings)}
    assigned: dict[SettingPath, list[str]] = {}
    for setting in settings:
        if setting.dotted_flag in (*reserved, "--help"):
            raise ValueError(f"the setting '{setting.name}' has the name of an option of the command line")
        free = [flag for flag in setting.short_flags if flag not in taken]
        taken.update(free)
        assigned[setting.path] = [setting.dotted_flag, *free]
    return assigned


def _parameter_name(path: SettingPath) -> str:
    return "setting_" + "__".join(path)


def _typer_type(kind: Any, positional: bool) -> Any:
    """What Typer is told: only how many words a flag takes. Their meaning is pydantic's affair."""
    if kind is bool:
        return bool | None
    if not is_json(kind) and not isinstance(kind, tuple):
        if is_list(kind) or (positional and items_of(kind)):  # how many there must be is pydantic's affair too
            return list[str] | None
        if typing.get_origin(kind) is tuple:
            return typing.Optional[tuple[tuple(str for _ in items_of(kind))]]  # type: ignore[misc]  # noqa: UP045
    return str | None


def _completion(setting: Setting) -> Callable[..., list[str]] | None:
    items = items_of(setting.kind)
    choices = list(choices_of(items[0] if items else setting.kind))
    if not choices:
        return None

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    # Typer reads the annotation of the parameter, not its text.
    complete.__annotations__ = {"incomplete": str, "return": list[str]}
    return complete


def _decoded(setting: Setting, value: Any) -> Any:
    """What was typed, as pydantic wants it: choices that are no text, ``none``, JSON; the rest as it is."""
    kind = setting.kind
    if isinstance(value, str):
        if value == "none" and setting.may_be_none and value not in choices_of(kind):
            return None  # a file of that name is ./none
        if is_json(kind):
            return _json(value)
        return choices_of(kind).get(value, value)
    if isinstance(value, (list, tuple)):
        items = items_of(kind)
        kinds = items + items[-1:] * len(value)  # also of a tuple of too many, which pydantic refuses
        return [choices_of(item).get(word, word) for item, word in zip(kinds, value, strict=False)]
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text  # which pydantic refuses, unless plain text is one of the alternatives
