"""The listeners of a run: flags of their settings, and the objects that plugins provide under their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from inspect import Parameter
from typing import Any

from restore import registry
from restore.cli.settings.flags import Flags
from restore.cli.settings.sources import COMMAND_LINE, Source, find_origins, find_typed, make_source, validate
from restore.cli.settings.task_settings import load_settings_class, name_plugin, plugin_errors
from restore.core.errors import RestoreError, UsageError
from restore.core.listeners import PluginListener
from restore.core.settings import RunSettings, Settings
from restore.registry.naming import did_you_mean

FLAG = "--listener"
SETTINGS = "listener_settings"


class BrokenListener(RestoreError):
    """A plugin provides a listener that cannot be made."""


@dataclass(frozen=True)
class Chosen:
    """A listener that a run names, and its settings; None if it has none."""

    entry: registry.Entry
    settings: Settings | None


class ListenerFlags:
    """Flags for the settings of the listeners that a command line names: ``--listener.NAME.FIELD``.

    Args:
        arguments: the command line after the name of the task.
        presets: defaults from plugins.toml, which may name listeners too.
        reserved: flags of the command that stand already.
    """

    def __init__(self, arguments: Sequence[str], presets: Source, reserved: Sequence[str]) -> None:
        self._arguments = arguments
        self._flags: dict[str, Flags] = {}
        names = presets.values.get(("listener",), ())
        for name in [*find_typed(arguments, FLAG), *(names if isinstance(names, list | tuple) else ())]:
            with suppress(registry.RegistryError):  # reported with the other names of the settings
                entry = registry.entry("listeners", str(name))
                if "settings" in entry.references and entry.name not in {key.rpartition("/")[2] for key in self._flags}:
                    self._flags[entry.full_name] = self._make_flags(entry, reserved)

    def _make_flags(self, entry: registry.Entry, reserved: Sequence[str]) -> Flags:
        model = load_settings_class(entry, "settings", Settings)
        with plugin_errors(entry):
            return Flags(
                model,
                prefix=("listener", entry.name),
                reserved=reserved,
                heading=lambda _: f"Settings of listener {entry.full_name}",
            )

    def parameters(self) -> Iterator[Parameter]:
        """Yield one optional parameter for each setting, for a Typer command."""
        for flags in self._flags.values():
            yield from flags.parameters()

    def sources(self, given: Mapping[str, Any]) -> dict[str, Source]:
        """Return what was typed, by the full name of the listener.

        Args:
            given: the values of the command's parameters.
        """
        found = {}
        for name, flags in self._flags.items():
            source = flags.source(given, self._arguments)
            found[name] = replace(
                source,
                values={path[2:]: value for path, value in source.values.items()},
                typed_as={path[2:]: flag for path, flag in source.typed_as.items()},
            )
        return found


def choose_listeners(
    settings: RunSettings, sources: Sequence[Source], typed: Mapping[str, Source]
) -> tuple[list[Chosen], RunSettings]:
    """Return the listeners that a run names, each once, and the settings of the run with those of its listeners.

    Args:
        settings: the settings of the run.
        sources: where they came from, for errors.
        typed: settings of listeners from the command line.

    Raises:
        UsageError: a setting of a listener is wrong, or belongs to a listener that the run does not have.
        RegistryError: nothing of a name is registered, or its plugin cannot be used.
    """
    entries = {entry.full_name: entry for entry in (registry.entry("listeners", name) for name in settings.listener)}
    origins = find_origins(sources)
    origin = origins.get((SETTINGS,), "the defaults")
    # the command line may take away a listener whose settings a file has
    replaced = origins.get(("listener",)) == COMMAND_LINE != origin
    given = {}
    for name, values in settings.listener_settings.items():
        if full_name := _find_full_name(name, entries):
            given[full_name] = values
        elif not replaced:
            raise UsageError(
                f"{SETTINGS}: the run has no listener '{name}'{did_you_mean(name, entries)}; choose it with "
                f"{FLAG} {name}, or leave its settings out (from {origin})"
            )
    chosen, together = list[Chosen](), dict[str, Any]()
    for name, entry in entries.items():
        values, flags = given.get(name, {}), typed.get(name, Source("", {}))
        if "settings" not in entry.references:
            if values:
                raise UsageError(f"{SETTINGS} (from {origin}): {name} has no settings")
            chosen.append(Chosen(entry, None))
            continue
        model = load_settings_class(entry, "settings", Settings)
        with plugin_errors(entry):
            below = make_source(values, model, f"{SETTINGS} of {name}, from {origin}")
        options = validate(model, [below, flags])
        chosen.append(Chosen(entry, options))
        if changed := options.model_dump(mode="json", exclude_unset=True):
            together[name] = changed
    if together != settings.listener_settings:
        settings = settings.model_copy(update={SETTINGS: together})
    return chosen, settings


def _find_full_name(name: str, known: Iterable[str]) -> str | None:
    """Return the full name of a listener of the run; None if the run has none of this name."""
    return next((full for full in known if name in (full, full.partition("/")[2])), None)


def make_listener(chosen: Chosen) -> PluginListener:
    """Build a listener. Raises ``BrokenListener``, or the registry's error if it cannot be imported."""
    entry = chosen.entry
    factory = entry.load()
    try:
        listener = factory() if chosen.settings is None else factory(chosen.settings)
    except RestoreError:
        raise  # written for the user, such as a setting that does not fit this machine
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise BrokenListener(f"listener {entry.full_name} cannot be made: {told}. {name_plugin(entry)}") from error
    if not callable(listener):
        raise BrokenListener(
            f"listener {entry.full_name} cannot be used: {entry.reference} returned a {type(listener).__name__}, which "
            f"cannot be called. {name_plugin(entry)}"
        )
    return PluginListener(entry.full_name, listener, entry.plugin, entry.requirement)
