"""The settings classes that families register, checked before they become flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from inspect import cleandoc
from typing import Any, TypeVar

from restore import registry
from restore.cli.settings.flags import Flags
from restore.cli.settings.layers import Layer, layer
from restore.cli.settings.setting import SettingPath
from restore.core.errors import RestoreError, UsageError
from restore.core.settings import Settings, overlay

S = TypeVar("S", bound=Settings)


class BrokenSettings(RestoreError):
    """A plugin registered settings that cannot become flags."""


def settings_class(entry: registry.Entry, detail: str, base: type[S]) -> type[S]:
    """The settings class behind ``settings=``, ``predict=`` or ``evaluate=`` of a registration.

    Raises ``BrokenSettings`` where it is no subclass of ``base``, the registry's errors where it cannot be imported.
    """
    found = entry.locate(detail)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise BrokenSettings(
            f"{entry.full_name} cannot be used: its {detail}={entry.details[detail]!r} is {_described(found)}, "
            f"not a subclass of {base.__module__}.{base.__qualname__}. {_whom_to_tell(entry)}"
        )
    return found


def help_text(entry: registry.Entry, model: type[Settings]) -> str:
    """What a plugin says of its task or command, and its settings class of itself."""
    return "\n\n".join(filter(None, [entry.summary, cleandoc(model.__doc__ or "")]))


@contextmanager
def blaming(entry: registry.Entry) -> Iterator[None]:
    """Name the plugin where its settings class cannot be turned into flags."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, NameError, RecursionError) as error:  # pydantic's own are TypeErrors
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise BrokenSettings(f"{entry.full_name} cannot be used: {first}. {_whom_to_tell(entry)}") from error


def _described(found: Any) -> str:
    return f"the class {found.__name__}" if isinstance(found, type) else f"of type {type(found).__name__}"


def _whom_to_tell(entry: registry.Entry) -> str:
    source = f"distribution {entry.distribution}" if entry.distribution else "a local module"
    return f"This is a fault of the plugin {entry.plugin} ({source})."


def plugin_layer(entry: registry.Entry, model: type[Settings]) -> Layer:
    """The defaults that ``plugins.toml`` gives the tasks of a plugin that are trained.

    They are shared by all of them: a setting that only another task of the plugin has is left out here. Raises
    ``UsageError`` for one that none has.
    """
    defaults = registry.plugin_defaults(entry.plugin)
    try:
        try:
            return layer(defaults, model, _project_file())
        except UsageError:
            others = [settings for other, settings in _trained(entry.plugin) if other != entry]
            return layer(_without_strangers(defaults, model, others), model, _project_file())
    except UsageError as error:
        raise UsageError(f"[plugin.{entry.plugin}] in {error}") from None


def check_plugin_defaults(plugin: str) -> None:
    """Raise ``UsageError`` where ``plugins.toml`` gives a plugin defaults that none of its tasks is trained with."""
    if not registry.plugin_defaults(plugin):
        return
    if not any(entry.plugin == plugin and entry.details.get("weights", True) for entry in registry.entries("tasks")):
        raise UsageError(
            f"[plugin.{plugin}] in {_project_file()}: these are defaults of 'restore train', and {plugin} has nothing "
            "to train; take the section out"
        )
    if trained := _trained(plugin):
        plugin_layer(*trained[0])


def _project_file() -> str:
    path = registry.project().path
    return path.name if path is not None else "plugins.toml"


def _trained(plugin: str) -> list[tuple[registry.Entry, type[Settings]]]:
    """The tasks of a plugin that learn something, each with its settings."""
    found = []
    for entry in registry.entries("tasks"):
        if entry.plugin == plugin and entry.details.get("weights", True):
            with suppress(registry.RegistryError, BrokenSettings):  # what is wrong with one is no concern of another
                found.append((entry, settings_class(entry, "settings", Settings)))
    return found


def _without_strangers(
    defaults: Mapping[str, Any], model: type[Settings], others: list[type[Settings]]
) -> dict[str, Any]:
    """The defaults without those, at any depth, that only another settings class has."""
    kept: dict[str, Any] = {}
    for path, value in _leaves(defaults):
        tree = value
        for part in reversed(path):
            tree = {part: tree}
        if _fits(tree, model) or not any(_fits(tree, other) for other in others):
            kept = overlay(kept, tree)
    return kept


def _leaves(tree: Mapping[str, Any], prefix: SettingPath = ()) -> Iterator[tuple[SettingPath, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*prefix, name))
        else:
            yield (*prefix, name), value


def _fits(tree: Mapping[str, Any], model: type[Settings]) -> bool:
    try:
        layer(tree, model, "")
    except UsageError:
        return False
    return True


def preset_defaults(presets: Layer) -> dict[tuple[str, ...], tuple[Any, str]]:
    """Defaults from ``plugins.toml`` as help texts show them."""
    return {path: (value, presets.origin) for path, value in presets.values.items()}


def typed_layer(flags: Flags, given: dict[str, Any], arguments: list[str], origin: str) -> Layer:
    """What was typed, as the topmost layer."""
    values = flags.typed(given)
    return Layer(origin, values, {path: flags.typed_as(path, arguments) for path in values})
