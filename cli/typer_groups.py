"""Typer's classes, extended to look commands up when they are typed and to lay out long help."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter, Signature
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from restore.cli.completing import completing
from restore.cli.exit import WRONG_USAGE

DEFAULT_HEADING = "Options"
CONTEXT_SETTINGS = {"max_content_width": 110, "help_option_names": ["-h", "--help"]}
"""Settings of every Typer context: help uses up to 110 columns and has a short flag."""


class CheapSwitches:
    """Mixin for Typer's classes: switches that Typer adds, such as ``--help``, default to False instead of None.

    Typer converts None through pydantic, and importing pydantic takes longer than everything else in a small command.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return every parameter, including ``--help``."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_bool_flag", False) and not parameter.secondary_opts and parameter.default is None:
                parameter.default = False
        return parameters


class GroupedCommand(CheapSwitches, TyperCommand):
    """A command whose help lists each option under the heading in its ``rich_help_panel``."""

    usage: str | None = None
    """What follows the command's name in its usage line; unset: what Typer derives from the parameters."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line."""
        return [self.usage] if self.usage else [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, one section per heading, in order of first appearance; unnamed ones last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if parameter.param_type_name == "argument" and not parameter.hidden:
                sections.setdefault("Arguments", []).append((parameter.metavar or parameter.name, parameter.help or ""))
            elif parameter.param_type_name == "option" and (record := parameter.get_help_record(ctx)) is not None:
                heading = getattr(parameter, "rich_help_panel", None) or DEFAULT_HEADING
                sections.setdefault(heading, []).append(record)
        for heading in sorted(sections, key=lambda name: (name == DEFAULT_HEADING, name != "Arguments")):
            with formatter.section(heading):
                formatter.write_dl(sections[heading])


class LookupGroup(CheapSwitches, TyperGroup):
    """A group that looks its commands up when their name is typed.

    Subclasses override ``summaries``, ``find`` and ``misplaced_option``. Help and completion call all three, so they
    must not import anything heavy.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.options_metavar = ""

    names_heading = "Names"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Yield the names that help and completion show, each with a one-line summary."""
        yield from ()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """Return the name, its command and the remaining arguments. Raises an error that says what is wrong."""
        raise NotImplementedError

    def describe_misplaced_option(self, option: str) -> str:
        """Return the error for an option that comes before the name that decides which options there are."""
        return f"expected a name before {option}: restore {self.name} {self.subcommand_metavar}"

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Return the names for completion."""
        return [name for name, _ in self.summaries()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's signature
        """Return a placeholder with the summary; completion and help need nothing else."""
        summary = dict(self.summaries()).get(cmd_name)
        return None if summary is None else make_placeholder(cmd_name, summary)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show help if there are no arguments, and reject options in place of the name."""
        if not ctx.resilient_parsing:
            if not args:
                typer.echo(ctx.get_help(), err=True)
                raise typer.Exit(WRONG_USAGE)
            if args[0].startswith("-") and args[0] not in ("-h", "--help", "--"):
                ctx.fail(self.describe_misplaced_option(args[0]))
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the typed name stands for."""
        if not ctx.resilient_parsing:
            return self.find(args)
        token = completing.set(True)
        try:
            return self.find(args)
        except Exception:  # noqa: BLE001 - during completion any error means "nothing to offer"
            return None, None, args[1:]
        finally:
            completing.reset(token)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Write the names with their summaries."""
        if rows := list(self.summaries()):
            with formatter.section(self.names_heading):
                formatter.write_dl(rows)
            formatter.write_paragraph()
            formatter.write_text(f"restore {self.name} NAME --help shows the options of one.")


def make_function_command(name: str, run: Callable[..., Any], help_text: str) -> Any:
    """Make a Typer command from a function whose annotations hold its parameters.

    Args:
        name: name of the command.
        run: the function.
        help_text: text above the options.
    """
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name, cls=GroupedCommand, help=help_text, context_settings=CONTEXT_SETTINGS)(run)
    return typer.main.get_command(single)


def make_placeholder(name: str, summary: str) -> Any:
    """Make a command that is only listed, never run."""

    def refuse() -> None:
        raise AssertionError(f"the placeholder of {name} was run")

    return make_command(name, refuse, [], help_text=summary)


def make_command(
    name: str,
    run: Callable[..., Any],
    parameters: Sequence[Parameter],
    *,
    help_text: str,
    epilog: str | None = None,
    usage: str | None = None,
) -> Any:
    """Make a Typer command from parameters that are known only at run time.

    Args:
        name: name of the command.
        run: function for this command alone, called with the value of every parameter by name.
        parameters: parameters whose annotations hold a ``typer.Option`` or ``typer.Argument``.
        help_text: text above the options.
        epilog: text below the options.
        usage: what follows the command's name in its usage line; None: derived from the parameters.
    """

    # Typer reads the parameters of a command from the function itself.
    run.__signature__ = Signature(list(parameters))  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    # Rich's help truncates long flags and reads [...] as markup; plain help does neither.
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name, cls=GroupedCommand, help=help_text, epilog=epilog, context_settings=CONTEXT_SETTINGS)(run)
    made: Any = typer.main.get_command(single)
    made.usage = usage
    return made
