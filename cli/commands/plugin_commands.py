"""The commands of plugins: ``restore sample RUN``, or in a group, ``restore data align``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from inspect import Parameter
from typing import Annotated, Any

import typer

from restore import registry
from restore.cli.exit import DEBUG_FLAG
from restore.cli.model_ref import needs_training, resolve_model
from restore.cli.typer_groups import LookupGroup, make_command
from restore.core.errors import UsageError
from restore.registry.naming import did_you_mean


def list_plugin_commands() -> Iterator[tuple[str, str]]:
    """Yield the first word of every command with a one-line summary; a group lists its commands.

    A command that several plugins have is listed as ``plugin/name``, since its name alone is ambiguous.
    """
    groups: dict[str, set[str]] = {}
    entries = registry.entries("commands")
    shared = Counter(entry.name for entry in entries)
    for entry in entries:
        group, _, name = entry.name.partition(" ")
        if name:
            groups.setdefault(group, set()).add(name)
        else:
            yield entry.name if shared[entry.name] == 1 else entry.full_name, entry.summary
    for group, names in groups.items():
        yield group, f"Group of commands: {', '.join(sorted(names))}."


def find_command(word: str, arguments: list[str]) -> Any:
    """Return the command or group that a first word stands for, or None. The word may be ``plugin/name``.

    A word that is both is the command, unless a command of the group follows.
    """
    in_group = [second for second, _ in _list_group(word)]
    short = word.rpartition("/")[2]
    exact = any(entry.name == short for entry in _entries_of(word))
    if exact and not (arguments and arguments[0] in in_group):
        return plugin_command(registry.entry("commands", word), arguments)
    if not in_group:
        return None
    return PluginCommands(
        name=word, help="Commands of plugins.", subcommand_metavar="COMMAND …", rich_markup_mode=None, params=[]
    )


def _entries_of(word: str) -> Iterator[registry.Entry]:
    """Yield all commands, or if the word is ``plugin/name``, those of the plugin."""
    plugin, slash, _ = word.rpartition("/")
    for entry in registry.entries("commands"):
        if not slash or entry.plugin == plugin.replace("-", "_"):
            yield entry


def _list_group(word: str) -> Iterator[tuple[str, str]]:
    """Yield the second words of the commands with this first word, each with its summary."""
    for entry in _entries_of(word):
        group, _, second = entry.name.partition(" ")
        if second and group == word.rpartition("/")[2]:
            yield second, entry.summary


class PluginCommands(LookupGroup):
    """Commands with the same first word."""

    names_heading = "Commands"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Yield the second words of the commands in this group."""
        yield from _list_group(str(self.name))

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """Return the command of a second word."""
        known = [name for name, _ in self.summaries()]
        if args[0] not in known:
            hint = did_you_mean(args[0], known) or f"; available: {', '.join(known)}"
            raise UsageError(f"'restore {self.name}' has no command '{args[0]}'{hint}")
        return args[0], plugin_command(registry.entry("commands", f"{self.name} {args[0]}"), args[1:]), args[1:]


def plugin_command(entry: registry.Entry, arguments: list[str]) -> Any:
    """Make a command whose flags are the settings that a plugin registered for it.

    Args:
        entry: the registration. A command that needs weights takes a run or a weights file as its first argument.
        arguments: the command line after its name, to report errors with the flags as typed.
    """
    from restore.cli.settings.flags import Flags
    from restore.cli.settings.sources import validate
    from restore.cli.settings.task_settings import format_help, load_settings_class, plugin_errors
    from restore.core.settings import Settings

    model = load_settings_class(entry, "settings", Settings)
    with plugin_errors(entry):
        flags = Flags(model, reserved=[DEBUG_FLAG])
        parameters = flags.parameters()
    needs_weights = isinstance(entry.spec, registry.CommandSpec) and entry.spec.needs == "weights"
    typed = list(arguments)  # Typer takes words off the list that it reads

    def run(debug: bool, run: str = "", **given: Any) -> None:  # noqa: ARG001 - the root handles debug
        with _lead_to_help(entry):
            settings = validate(model, [flags.source(given, typed)])
        with nullcontext() if typed else _lead_to_help(entry):
            if needs_weights:
                _run_with_weights(entry, run, settings)
            else:
                entry.load()(settings)

    debug = Annotated[bool, typer.Option(DEBUG_FLAG, help="Show the traceback of an error.")]
    parameters.append(Parameter("debug", Parameter.KEYWORD_ONLY, default=False, annotation=debug))
    if needs_weights:
        tasks = " or ".join(task.name for task in list_accepted_tasks(entry))
        described = f"A run folder or a weights file of {tasks or 'any task'}."
        where = Annotated[str, typer.Argument(metavar="RUN", help=described)]
        parameters.insert(0, Parameter("run", Parameter.KEYWORD_ONLY, annotation=where))
    return make_command(
        entry.name.rpartition(" ")[2],
        run,
        parameters,
        help_text=format_help(entry, model),
        usage=" ".join([*(["RUN"] if needs_weights else []), *flags.places(), "[OPTIONS]"]),
    )


@contextmanager
def _lead_to_help(entry: registry.Entry) -> Iterator[None]:
    """Say below a message about wrong usage how to see what the command takes, as Typer does below its own."""
    try:
        yield
    except UsageError as error:
        error.add_note(f"See: restore {entry.name} --help")
        raise


def list_accepted_tasks(command: registry.Entry) -> list[registry.Entry]:
    """Return the tasks whose weights a command takes: of its own plugin, or none if that has no tasks."""
    chosen = command.spec.weights_of if isinstance(command.spec, registry.CommandSpec) else ()
    return [
        task
        for task in registry.entries("tasks")
        if task.plugin == command.plugin and needs_training(task) and (not chosen or task.name in chosen)
    ]


def _run_with_weights(entry: registry.Entry, name: str, settings: Any) -> None:
    """Open the weights and call ``function(task, modules, settings)``."""
    model = resolve_model(name)
    if model.weights is None:
        raise UsageError(f"restore {entry.name} needs a run folder or a weights file; {name} is a classical method")
    accepted = list_accepted_tasks(entry)
    if accepted and model.entry not in accepted:
        raise UsageError(
            f"restore {entry.name} needs weights of {' or '.join(task.full_name for task in accepted)}; "
            f"{name} holds weights of {model.entry.full_name}"
        )
    method, networks = model.open()
    entry.load()(method, networks, settings)
