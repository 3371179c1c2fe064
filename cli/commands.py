"""Typer's classes, taught to find commands when they are typed and to lay out long help."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter, Signature
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

WRONG_USAGE = 2
PLAIN_HEADING = "Options"
WIDE = {"max_content_width": 110, "help_option_names": ["-h", "--help"]}
"""Settings of a Typer context: help may use more of a wide terminal than 80 columns, and is asked for in two ways."""


class CheapSwitches:
    """Mixed into Typer's classes: switches that Typer adds, such as ``--help``, default to False and not to None.

    Typer converts None through pydantic, the import of which takes longer than all else that a small command does.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Every parameter, ``--help`` among them."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_bool_flag", False) and not parameter.secondary_opts and parameter.default is None:
                parameter.default = False
        return parameters


class GroupedCommand(CheapSwitches, TyperCommand):
    """A command whose options are listed under the headings that they name as ``rich_help_panel``."""

    usage: str | None = None
    """What stands behind the command's name in its usage line; unset: what Typer makes of the parameters."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage line."""
        return [self.usage] if self.usage else [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, one section a heading, in order of first appearance; plain ones last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if parameter.param_type_name == "argument" and not parameter.hidden:
                sections.setdefault("Arguments", []).append((parameter.metavar or parameter.name, parameter.help or ""))
            elif parameter.param_type_name == "option" and (record := parameter.get_help_record(ctx)) is not None:
                heading = getattr(parameter, "rich_help_panel", None) or PLAIN_HEADING
                sections.setdefault(heading, []).append(record)
        for heading in sorted(sections, key=lambda name: (name == PLAIN_HEADING, name != "Arguments")):
            with formatter.section(heading):
                formatter.write_dl(sections[heading])


class FoundCommands(CheapSwitches, TyperGroup):
    """A group whose commands are looked up when their name is typed.

    A subclass answers three questions. None of them may import anything heavy: all are asked for help and completion.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.options_metavar = ""

    names_heading = "Names"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Names that help and completion show, each with one line about it."""
        yield from ()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """The name, the command and the arguments left for it; raises an error that says what is wrong."""
        raise NotImplementedError

    def before_name(self, option: str) -> str:
        """What to say about an option that stands before the name which decides the options."""
        return f"{option} stands where a name should be: restore {self.name} {self.subcommand_metavar}"

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Names for completion."""
        return [name for name, _ in self.summaries()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's signature
        """A stand-in with the summary: completion and help ask for no more."""
        summary = dict(self.summaries()).get(cmd_name)
        return None if summary is None else stand_in(cmd_name, summary)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show help where nothing was typed, and refuse options where a name should be."""
        if not ctx.resilient_parsing:
            if not args:
                typer.echo(ctx.get_help(), err=True)
                raise typer.Exit(WRONG_USAGE)
            if args[0].startswith("-") and args[0] not in ("-h", "--help", "--"):
                ctx.fail(self.before_name(args[0]))
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Swap in the command that the typed name means."""
        if not ctx.resilient_parsing:
            return self.find(args)
        try:
            return self.find(args)
        except Exception:  # noqa: BLE001 - while a shell completes, whatever is wrong means "nothing to offer"
            return None, None, args[1:]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Write the names with their summaries."""
        if rows := list(self.summaries()):
            with formatter.section(self.names_heading):
                formatter.write_dl(rows)


def stand_in(name: str, summary: str) -> Any:
    """A command that is only listed, never run."""

    def unused() -> None:
        raise AssertionError(f"{name} should have been swapped for the command itself")

    return command(name, unused, [], help_text=summary)


def command(
    name: str,
    run: Callable[..., Any],
    parameters: Sequence[Parameter],
    *,
    help_text: str,
    epilog: str | None = None,
    usage: str | None = None,
) -> Any:
    """A Typer command made of parameters that are known only now; ``run`` gets every one of them by name."""

    def callback(**given: Any) -> None:
        run(**given)

    callback.__signature__ = Signature(list(parameters))  # type: ignore[attr-defined]
    callback.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    # Rich's help cuts long flags off and takes [...] for markup; plain help does neither.
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name, cls=GroupedCommand, help=help_text, epilog=epilog, context_settings=WIDE)(callback)
    made: Any = typer.main.get_command(single)
    made.usage = usage
    return made
