"""The root of the command line: the tool's commands, then those of plugins; errors of all of them end here."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from typer.core import TyperGroup

from restore import registry
from restore.cli.commands.plugin_commands import find_command, list_plugin_commands
from restore.cli.exit import print_warning, run_command, strip_debug_flag
from restore.cli.model_ref import list_trainable_tasks
from restore.cli.typer_groups import CONTEXT_SETTINGS, CheapSwitches, make_function_command, make_placeholder
from restore.registry.naming import did_you_mean
from restore.registry.references import resolve_reference


@dataclass(frozen=True)
class Command:
    """A command of the tool; its module is imported when it is used."""

    reference: str
    """A function with Typer's annotations, or a group."""
    summary: str
    usage: str = ""
    """Of a group: what follows its name in the usage line."""

    def load(self, name: str) -> Any:
        """Import the command."""
        found = resolve_reference(f"restore.cli.commands.{self.reference}")
        if not isinstance(found, type):
            return make_function_command(name, found, self.summary)
        return found(
            name=name,
            help=self.summary,
            subcommand_metavar=self.usage,
            rich_markup_mode=None,
            params=[],
            context_settings=CONTEXT_SETTINGS,
        )


COMMANDS = {
    "train": Command("train:TrainCommands", "Train a model on images.", "TASK [OPTIONS]"),
    "predict": Command(
        "predict:PredictCommands",
        "Apply a trained model or a classical method to images.",
        "RUN|WEIGHTS|NAME INPUT… --output DIR [OPTIONS]",
    ),
    "evaluate": Command(
        "evaluate:EvaluateCommands",
        "Measure trained models and classical methods on the same images.",
        "RUN|WEIGHTS|NAME… [--data DIR] [OPTIONS]",
    ),
    "benchmark": Command(
        "benchmark:BenchmarkCommands",
        "Print the table of a paper: models, sets and scales.",
        "sr RUN|WEIGHTS|NAME… --data DIR… [OPTIONS]",
    ),
    "serve": Command(
        "serve:serve", "Serve a web page and an HTTP API for runs, weights and classical methods on this machine."
    ),
    "runs": Command("runs:runs", "List the runs of a folder, or say in what two runs differ."),
    "report": Command("report:report", "Write a page about a run, or about several side by side."),
    "recipes": Command("recipes:recipes", "List the published settings of runs, for --config."),
    "import": Command("import_weights:import_weights", "Convert a checkpoint of another project to a weights file."),
    "export": Command(
        "export:export", "Write weights or a graph for other programs: ComfyUI, BasicSR, ONNX, OpenVINO."
    ),
    "weights": Command("weights:weights", "List the weights that are at hand: shipped, of runs here, imported."),
    "pack": Command("pack:pack", "Make a weights file to pass on: half as large, with a card."),
    "list-plugins": Command(
        "list_plugins:list_plugins", "List the installed plugins, and the errors of those that fail."
    ),
    "show": Command("show:show", "Describe a plugin, a task, a run or a weights file."),
    "doctor": Command("doctor:doctor", "Check this installation, and report what is wrong."),
    "new-plugin": Command("new_plugin:new_plugin", "Write a plugin with a model family of your own, to start from."),
    "plugin": Command("plugin:PluginCommandGroup", "Check a plugin before you publish it.", "check NAME|PATH"),
}
"""The commands of the tool in the order of the help."""


class Restore(CheapSwitches, TyperGroup):
    """The commands of the tool, followed by the commands of plugins."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002 - Typer's signature; errors are always handled here
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line and exit with its status. This is the one place where errors become messages."""
        arguments, debug = strip_debug_flag(list(sys.argv[1:] if args is None else args))
        if args is None:
            # Typer reads sys.argv itself: it expands patterns where the shell does not, such as on Windows.
            sys.argv[1:] = arguments
        call = partial(
            super().main,
            args=None if args is None else arguments,
            prog_name=prog_name or "restore",
            complete_var=complete_var,
            standalone_mode=False,
            windows_expand_args=windows_expand_args,
            **extra,
        )
        sys.exit(run_command(call, debug=debug))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return one of the tool's commands, else a command of a plugin."""
        name, rest = args[0], args[1:]
        if name in COMMANDS:
            return name, COMMANDS[name].load(name), rest
        try:
            command = find_command(name, rest)
            if command is None and not ctx.resilient_parsing:
                if name.startswith("-"):
                    return super().resolve_command(ctx, args)
                known = [*COMMANDS, *(known for known, _ in list_plugin_commands())]
                ctx.fail(f"No such command: '{name}'{did_you_mean(name, known)}")
        except Exception:
            if ctx.resilient_parsing:  # a shell is completing: nothing to offer
                return None, None, rest
            raise
        return name if command else None, command, rest

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Return the tool's commands, then the commands of plugins."""
        return [*COMMANDS, *(name for name, _ in _plugin_commands())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's signature
        """Return a command, or a placeholder for a command of a plugin: completion and help only list it."""
        if cmd_name in COMMANDS:
            return COMMANDS[cmd_name].load(cmd_name)
        summary = dict(_plugin_commands()).get(cmd_name)
        return None if summary is None else make_placeholder(cmd_name, summary)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Write the commands; those of plugins have a heading of their own."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])
        if commands := list(_plugin_commands()):
            with formatter.section("Commands of plugins"):
                formatter.write_dl(commands)

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write what the tool is for and the first commands to try."""
        super().format_help_text(ctx, formatter)
        rows = [
            (f"restore train {_example_task()}", "train on the built-in sample images"),
            ("restore predict RUN photo.jpg --output out/", "apply the trained model"),
            ("restore train --help", "list everything that can be trained"),
            ("restore doctor", "check this installation"),
        ]
        with formatter.section("Getting started"):
            formatter.write_dl(rows, col_max=50)


def _plugin_commands() -> Iterator[tuple[str, str]]:
    """Yield the commands of plugins; none if the registry reports an error, so that help is always shown."""
    try:
        yield from list_plugin_commands()
    except registry.RegistryError as error:
        print_warning(str(error))


def _example_task() -> str:
    """Return the name of a task for an example."""
    try:
        return next(list_trainable_tasks(), ("TASK", ""))[0]
    except registry.RegistryError:
        return "TASK"
