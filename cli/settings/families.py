"""The settings classes that families register, checked before they become flags."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import cleandoc
from typing import Any, TypeVar

from restore import registry
from restore.cli.settings.flags import Flags
from restore.cli.settings.layers import Layer, layer
from restore.core.errors import RestoreError, UsageError
from restore.core.settings import Settings

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
    """The defaults that ``plugins.toml`` gives the tasks of a plugin.

    They are shared by all tasks of the plugin: a setting that only another task of it has is left out here.
    """
    defaults = registry.plugin_defaults(entry.plugin)
    path = registry.project().path
    origin = path.name if path is not None else "plugins.toml"
    try:
        return layer(defaults, model, origin)
    except UsageError as error:
        others = [other for other in registry.entries("tasks") if other.plugin == entry.plugin and other != entry]
        kept = {name: value for name, value in defaults.items() if name in model.model_fields}
        strangers = {name for name in defaults if name not in kept}
        if not strangers or not all(any(_has(other, name) for other in others) for name in strangers):
            raise UsageError(f"[plugin.{entry.plugin}] in {error}") from None
        return layer(kept, model, origin)


def _has(entry: registry.Entry, name: str) -> bool:
    try:
        return name in settings_class(entry, "settings", Settings).model_fields
    except (registry.RegistryError, BrokenSettings):  # what is wrong with another task is no concern of this one
        return False


def preset_defaults(presets: Layer) -> dict[tuple[str, ...], tuple[Any, str]]:
    """Defaults from ``plugins.toml`` as help texts show them."""
    return {path: (value, presets.origin) for path, value in presets.values.items()}


def typed_layer(flags: Flags, given: dict[str, Any], arguments: list[str], origin: str) -> Layer:
    """What was typed, as the topmost layer."""
    values = flags.typed(given)
    return Layer(origin, values, {path: flags.typed_as(path, arguments) for path in values})
