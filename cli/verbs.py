"""The verbs of plugins: ``restore sample RUN``, or in a group, ``restore data align``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from restore import registry
from restore.cli.commands import FoundCommands, command
from restore.cli.subjects import subject
from restore.cli.suggestions import did_you_mean
from restore.core.errors import UsageError


def verb_summaries() -> Iterator[tuple[str, str]]:
    """First words of all verbs, each with one line about it; a group lists its verbs.

    A verb of one word that several plugins have is called ``plugin/name``, since its name alone means none of them.
    """
    groups: dict[str, list[str]] = {}
    entries = registry.entries("commands")
    shared = Counter(entry.name for entry in entries)
    for entry in entries:
        group, _, name = entry.name.partition(" ")
        if name:
            groups.setdefault(group, []).append(name)
        else:
            yield entry.name if shared[entry.name] == 1 else entry.full_name, entry.summary
    for group, names in groups.items():
        yield group, f"Group of commands: {', '.join(sorted(set(names)))}."


def find_verb(word: str, arguments: list[str]) -> Any:
    """The command or group that a first word means, which may be ``plugin/name``; or nothing.

    Where a word is both, it is the command unless one of the group's follows.
    """
    of_group = [second for second, _ in _of_group(word)]
    short = word.rpartition("/")[2]
    exact = any(entry.name == short for entry in _of_plugin(word))
    if exact and not (arguments and arguments[0] in of_group):
        return _verb(registry.entry("commands", word), arguments)
    return _group(word) if of_group else None


def _of_plugin(word: str) -> Iterator[registry.Entry]:
    """All verbs, or where the word is ``plugin/name``, those of the plugin."""
    plugin, slash, _ = word.rpartition("/")
    for entry in registry.entries("commands"):
        if not slash or entry.plugin == plugin.replace("-", "_"):
            yield entry


def _of_group(word: str) -> Iterator[tuple[str, str]]:
    """Second words of the verbs whose first one this is, each with its summary."""
    for entry in _of_plugin(word):
        group, _, second = entry.name.partition(" ")
        if second and group == word.rpartition("/")[2]:
            yield second, entry.summary


class VerbGroup(FoundCommands):
    """Verbs that share their first word."""

    names_heading = "Commands"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Second words of the verbs of this group."""
        yield from _of_group(str(self.name))

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """The command of a second word."""
        known = [name for name, _ in self.summaries()]
        if args[0] not in known:
            raise UsageError(
                f"'restore {self.name}' has no command '{args[0]}'.{did_you_mean(args[0], known)} "
                f"It has: {', '.join(known)}"
            )
        return args[0], _verb(registry.entry("commands", f"{self.name} {args[0]}"), args[1:]), args[1:]


def _group(word: str) -> Any:
    return VerbGroup(
        name=word, help="Commands of plugins.", subcommand_metavar="COMMAND …", rich_markup_mode=None, params=[]
    )


def _verb(entry: registry.Entry, arguments: list[str]) -> Any:
    """A command whose flags are the settings of a verb; the first argument of one that needs weights is a run."""
    from inspect import Parameter

    from restore.cli.settings.families import blaming, help_text, settings_class, typed_layer
    from restore.cli.settings.flags import Flags
    from restore.cli.settings.layers import COMMAND_LINE, validated
    from restore.core.settings import Settings

    model = settings_class(entry, "settings", Settings)
    with blaming(entry):
        flags = Flags(model, reserved=["--debug"])
        parameters = flags.parameters()
    needs_weights = entry.details.get("needs") == "weights"

    def run(debug: bool, run: str = "", **given: Any) -> None:  # noqa: ARG001 - main() has seen to debug already
        settings = validated(model, [typed_layer(flags, given, arguments, COMMAND_LINE)])
        if needs_weights:
            _with_weights(entry, run, settings)
        else:
            entry.load()(settings)

    debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
    parameters.append(Parameter("debug", Parameter.KEYWORD_ONLY, default=False, annotation=debug))
    if needs_weights:
        where = Annotated[str, typer.Argument(metavar="RUN", help="A run folder or a weights file.")]
        parameters.insert(0, Parameter("run", Parameter.KEYWORD_ONLY, annotation=where))
    return command(
        entry.name.rpartition(" ")[2],
        run,
        parameters,
        help_text=help_text(entry, model),
        usage=" ".join([*(["RUN"] if needs_weights else []), *flags.places(), "[OPTIONS]"]),
    )


def _with_weights(entry: registry.Entry, typed: str, settings: Any) -> None:
    """Open the weights and call ``function(task, modules, settings)``."""
    from pathlib import Path

    from restore.core.weights.files import open_weights
    from restore.core.weights.header import find_weights

    chosen = subject(typed)
    if chosen.header is None:
        raise UsageError(
            f"restore {entry.name} needs a run folder or a weights file; {typed} is a task without weights"
        )
    tasks_of_plugin = [task for task in registry.entries("tasks") if task.plugin == entry.plugin]
    # A plugin that brings tasks brings verbs for them; one without tasks is a tool for anybody's.
    if tasks_of_plugin and chosen.entry.plugin != entry.plugin:
        raise UsageError(
            f"restore {entry.name} is for weights of {', '.join(task.full_name for task in tasks_of_plugin)}; "
            f"{typed} is of {chosen.entry.full_name}"
        )
    task, modules = open_weights(find_weights(Path(typed)), registry.get)
    entry.load()(task, modules, settings)
