"""The settings of a training as a form, and what a client fills in as a training. No text of a client is a path."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined, to_jsonable_python
from werkzeug.exceptions import NotFound

from restore import registry
from restore.cli.model_ref import list_trainable_tasks
from restore.cli.server.form import ORIGIN, Field, Form, refuse_unknown
from restore.cli.settings.flags import find_sample_defaults
from restore.cli.settings.setting import Setting, SettingPath
from restore.cli.settings.sources import Source, merge, validate
from restore.cli.settings.specialize import find_names, specialize
from restore.cli.settings.task_settings import load_settings_class, plugin_errors, read_plugin_defaults
from restore.cli.settings.types import format_value
from restore.core.command_words import type_setting
from restore.core.errors import UsageError
from restore.core.setting_types import is_list, is_named, item_types
from restore.core.settings import OrPath, RegisteredName, RunSettings
from restore.registry.naming import did_you_mean

DATA = ("data", "val_data")
"""Settings that are one of the folders that the server was started with."""
NAME = "name"
WITHHELD = frozenset(
    {
        *("out", NAME, *DATA, "init_filter", "init_sha256", "track", "track_project"),
        *("listener", "listener_settings", "metric", "monitor"),
    }
)
"""Settings of every run that no client sets as they are: they name places, send data elsewhere, or take file names as
part of their text."""
FIRST = ("epochs", "batch_size", "samples_per_epoch", "seed", "device")
"""Settings of every run that are shown above all others."""
LONGEST_NAME = 100


@dataclass(frozen=True)
class TrainingForm:
    """The form of one task.

    Args:
        entry: the task.
        form: its settings that a client may set.
        presets: defaults of ``plugins.toml``.
    """

    entry: registry.Entry
    form: Form
    presets: Source

    @classmethod
    def of(cls, task: str, names: Mapping[str, Sequence[str]]) -> TrainingForm:
        """Make the form of a task.

        Args:
            task: its name.
            names: texts of a form or of an address; registered names among them, such as that of an architecture, bring
                settings of their own.

        Raises:
            NotFound: no such task can be trained.
        """
        known = [name for name, _ in list_trainable_tasks()]
        if task not in known and task not in (registry.entry("tasks", name).full_name for name in known):
            hint = did_you_mean(task, known) or ". GET /api/tasks lists what there is"
            raise NotFound(f"no task to train is called {task!r}{hint}")
        entry = registry.entry("tasks", task)
        model = load_settings_class(entry, "settings", RunSettings)
        with plugin_errors(entry):
            words = [
                f"{setting.dotted_flag}={names[setting.name][-1]}"
                for setting in Form.of(model).settings.values()
                if _mark(setting) and names.get(setting.name)
            ]
            model = specialize(model, find_names(entry, model, words))
        form = Form.of(model)
        shown = {path: setting for path, setting in form.settings.items() if path[0] not in WITHHELD}
        return cls(entry, Form(model, shown), read_plugin_defaults(entry, model))

    def fields(self, data: Sequence[str]) -> Iterator[Field]:
        """Yield the fields: folders and name, then what matters most, then the task's own, then the rest.

        Args:
            data: names of the folders with data.
        """
        about = RunSettings.model_fields
        for name in DATA:
            yield Field(name, "choice", _help(about[name].description), "", None, True, tuple(data))
        yield Field(NAME, "text", _help(about[NAME].description), "", None, True)
        sample = find_sample_defaults(self.form.model, self.form.settings)
        settings = list(self.form.settings.values())
        fields = {each.path: each for each in settings}
        for field, setting in zip(self.form.fields(), fields.values(), strict=True):
            of_every_run = setting.path[0] in RunSettings.model_fields and setting.path[0] != "model"
            group = field.group or ("" if setting.name in FIRST else "run" if of_every_run else self.entry.name)
            choices = tuple(_list_choices(setting)) or field.choices
            yield replace(
                field,
                kind="choice" if choices and field.kind == "text" else field.kind,
                help=_with_note(field.help, "on the sample", sample.get(setting.path)),
                default=self._show_default(field, setting),
                group=group,
                choices=choices,
            )

    def names(self) -> list[str]:
        """Return the fields whose values bring further fields along."""
        return [setting.name for setting in self.form.settings.values() if _mark(setting)]

    def _show_default(self, field: Field, setting: Setting) -> Any:
        """Return the default as a form shows it: several words, and what is typed as JSON, are text."""
        value = self.presets.values.get(setting.path, setting.default)
        if value is PydanticUndefined or value is None:
            return None
        if field.kind == "choices" or not (setting.needs_json or item_types(setting.value_type)):
            return to_jsonable_python(value, fallback=str)
        words = type_setting(setting.path, value, setting.info.annotation)
        return " ".join(words[1::2] if is_list(setting.value_type) and not setting.needs_json else words[1:])

    def read(self, texts: Mapping[str, Sequence[str]], folders: Mapping[str, Path]) -> Source:
        """Return what a client filled in, ready for validation; folders of data by their names.

        Raises:
            UsageError: a field is unknown, or data are none of the folders.
        """
        refuse_unknown(set(texts), {*self.form.names(), *DATA, NAME})
        source = self.form.read({name: self._split(name, given) for name, given in texts.items()}, {})
        values: dict[SettingPath, Any] = dict(source.values)
        for name in DATA:
            given = texts.get(name, ["none"])[-1]
            if given not in ("none", *folders):
                known = ", ".join(folders) or "no folder; name some with --data when the server is started"
                raise UsageError(f"{name}: {given!r} is no folder of data of this server; there are: {known}")
            if given != "none":
                values[name,] = str(folders[given].absolute())
        return Source(ORIGIN, values, {**source.typed_as, **{(name,): name for name in DATA}})

    def _split(self, name: str, given: Sequence[str]) -> list[str]:
        """Return the words of a setting that takes several, as they stand in one field."""
        setting = self.form.settings.get(tuple(name.split(".")))
        items = item_types(setting.value_type) if setting is not None and not setting.needs_json else []
        if not items or len(given) > 1:
            return list(given)
        return given[0].split() if any(map(is_named, items)) else re.split(r"[\s,]+", given[0].strip())

    def check(self, given: Source, folders: Mapping[str, Path]) -> dict[str, Any]:
        """Validate what `read` returned; return it as a tree for a settings file.

        Raises:
            UsageError: a value is wrong, or names a file.
        """
        settings = validate(self.form.model, [self.presets, given])
        without = Source(ORIGIN, {path: value for path, value in given.values.items() if path[0] in DATA})
        try:
            usual = set(_places(validate(self.form.model, [self.presets, without])))
        except UsageError:  # it needs more than that
            usual = set()
        for name, place in _places(settings):
            if (name, place) not in usual and not any(place == str(each.absolute()) for each in folders.values()):
                raise UsageError(f"{name}: {place[:100]!r} names a file; a server opens only what it was started with")
        return merge([given])


def list_tasks() -> list[dict[str, str]]:
    """Return the tasks that can be trained."""
    return [{"id": name, "summary": summary} for name, summary in list_trainable_tasks()]


def choose_name(texts: Mapping[str, Sequence[str]], task: str, folder: Path) -> str:
    """Return the name of a new run: the one that was given, or task and time. It is one part of a path.

    Raises:
        UsageError: the name is none, or is taken.
    """
    given = texts.get(NAME, [""])[-1]
    if not given:
        stem = f"{task.rpartition('/')[2]}-{time.strftime('%Y%m%d-%H%M%S')}"
        numbered = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 1000))
        return next(name for name in numbered if not (folder / name).exists())
    name = unicodedata.normalize("NFC", given)
    if (
        not name.isprintable()
        or len(name.encode()) > LONGEST_NAME
        or re.search(r'[/\\<>:"|?*]', name)
        or name[0] in ".-~ "
        or name[-1] in ". "
    ):
        raise UsageError(
            f'{NAME}: expected up to {LONGEST_NAME} bytes of letters, digits and signs but for / \\ < > : " | ? *, '
            f"without a dot, a dash or a space at the beginning (got {given[:LONGEST_NAME]!r})"
        )
    if (folder / name).exists():
        raise UsageError(f"{NAME}: there is a run called {name!r} already; resume it, or choose another name")
    return name


def write_settings(path: Path, tree: Mapping[str, Any], out: Path, name: str) -> None:
    """Write a file for ``--config``, with the place of the run."""
    everything = {**tree, "out": str(out), "name": name}
    path.write_text(yaml.safe_dump(to_jsonable_python(everything), allow_unicode=True, sort_keys=False), "utf-8")


def _mark(setting: Setting) -> RegisteredName | None:
    return next((mark for mark in setting.info.metadata if isinstance(mark, RegisteredName)), None)


def _list_choices(setting: Setting) -> Iterator[str]:
    """Yield the registered names that a setting can hold, or the words of one that might also be a path."""
    for mark in setting.info.metadata:
        if isinstance(mark, OrPath):
            yield from mark.words
        elif isinstance(mark, RegisteredName):
            for entry in registry.entries(mark.kind):
                if not mark.roles or getattr(entry.spec, "role", None) in mark.roles:
                    yield entry.full_name


def _places(settings: BaseModel, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value that is, or looks like, the path of a file, with the name of its setting."""
    for name, info in type(settings).model_fields.items():
        words = next((mark.words for mark in info.metadata if isinstance(mark, OrPath)), None)
        for value in _flatten(getattr(settings, name)):
            if isinstance(value, BaseModel):
                yield from _places(value, f"{prefix}{name}.")
            elif isinstance(value, Path) or (isinstance(value, str) and _looks_like_a_path(value, words)):
                yield f"{prefix}{name}", str(value)


def _flatten(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield key
            yield from _flatten(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _flatten(each)
    else:
        yield value


def _looks_like_a_path(text: str, words: tuple[str, ...] | None) -> bool:
    if words is not None:
        return text not in words
    begins = text.startswith(("/", "~", "./")) or bool(re.match("[A-Za-z]:", text))
    return begins or "\\" in text or ".." in text.split("/")


def _help(text: str | None) -> str:
    return " ".join((text or "").split())


def _with_note(text: str, what: str, value: Any) -> str:
    return text if value is None else f"{_help(text)} ({what}: {format_value(value)})"
