"""The settings classes that plugins register, and the defaults that plugins.toml gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from inspect import cleandoc
from typing import Any, TypeVar

from restore import registry
from restore.cli.model_ref import needs_training
from restore.cli.settings.setting import SettingPath
from restore.cli.settings.sources import Source, make_source
from restore.core.errors import RestoreError, UsageError
from restore.core.settings import Settings, overlay

S = TypeVar("S", bound=Settings)


class BrokenSettings(RestoreError):
    """A plugin registered settings that cannot become flags."""


def load_settings_class(entry: registry.Entry, detail: str, base: type[S]) -> type[S]:
    """Import the settings class behind ``settings=``, ``predict=`` or ``evaluate=`` of a registration.

    Raises ``BrokenSettings`` if it is no subclass of ``base``, the registry's errors if it cannot be imported.
    """
    found = entry.locate(detail)
    if not (isinstance(found, type) and issubclass(found, base)):
        described = f"the class {found.__name__}" if isinstance(found, type) else f"of type {type(found).__name__}"
        raise BrokenSettings(
            f"{entry.full_name} cannot be used: its {detail}={entry.references[detail]!r} is {described}, "
            f"not a subclass of {base.__module__}.{base.__qualname__}. {name_plugin(entry)}"
        )
    return found


def format_help(entry: registry.Entry, model: type[Settings]) -> str:
    """Return the summary of a task or command, followed by the docstring of its settings class."""
    return "\n\n".join(filter(None, [entry.summary, cleandoc(model.__doc__ or "")]))


@contextmanager
def plugin_errors(entry: registry.Entry) -> Iterator[None]:
    """Name the plugin if its settings class cannot be turned into flags."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, NameError, RecursionError) as error:  # pydantic's own are TypeErrors
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise BrokenSettings(f"{entry.full_name} cannot be used: {first}. {name_plugin(entry)}") from error


def name_plugin(entry: registry.Entry) -> str:
    """Return a sentence that says whose bug an error is."""
    source = f"distribution {entry.distribution}" if entry.distribution else "a local module"
    return f"This is a bug in the plugin {entry.plugin} ({source})."


def read_plugin_defaults(entry: registry.Entry, model: type[Settings]) -> Source:
    """Return the defaults that ``plugins.toml`` gives a task.

    The tasks of a plugin share them, so a setting that only another task of the plugin has is left out. Raises
    ``UsageError`` for one that none of them has.
    """
    defaults = registry.project().defaults.get(entry.plugin, {})
    origin = _project_file()
    try:
        try:
            return make_source(defaults, model, origin)
        except UsageError:
            others = [settings for other, settings in _trainable(entry.plugin) if other != entry]
            return make_source(_drop_settings_of_others(defaults, model, others), model, origin)
    except UsageError as error:
        raise UsageError(f"[plugin.{entry.plugin}] in {error}") from None


def check_plugin_defaults(plugin: str) -> None:
    """Raise ``UsageError`` if ``plugins.toml`` gives a plugin defaults that none of its tasks has."""
    if not any(entry.plugin == plugin and needs_training(entry) for entry in registry.entries("tasks")):
        raise UsageError(
            f"[plugin.{plugin}] in {_project_file()}: these are defaults of 'restore train', and {plugin} has "
            "no task to train; remove the section"
        )
    if trainable := _trainable(plugin):
        read_plugin_defaults(*trainable[0])


def _project_file() -> str:
    path = registry.project().path
    return path.name if path is not None else "plugins.toml"


def _trainable(plugin: str) -> list[tuple[registry.Entry, type[Settings]]]:
    """Return the trainable tasks of a plugin, each with its settings class."""
    found = []
    for entry in registry.entries("tasks"):
        if entry.plugin == plugin and needs_training(entry):
            with suppress(registry.RegistryError, BrokenSettings):  # an error in one task does not concern the others
                found.append((entry, load_settings_class(entry, "settings", Settings)))
    return found


def _drop_settings_of_others(
    defaults: Mapping[str, Any], model: type[Settings], others: list[type[Settings]]
) -> dict[str, Any]:
    """Return the defaults without those, at any depth, that only another settings class has."""
    kept: dict[str, Any] = {}
    for path, value in _flatten(defaults):
        tree = value
        for part in reversed(path):
            tree = {part: tree}
        if _fits(tree, model) or not any(_fits(tree, other) for other in others):
            kept = overlay(kept, tree)
    return kept


def _flatten(tree: Mapping[str, Any], prefix: SettingPath = ()) -> Iterator[tuple[SettingPath, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, (*prefix, name))
        else:
            yield (*prefix, name), value


def _fits(tree: Mapping[str, Any], model: type[Settings]) -> bool:
    try:
        make_source(tree, model, "")
    except UsageError:
        return False
    return True
