"""The root of the command line: the tool's commands, the verbs of plugins, and one place where everything ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from typer.core import TyperGroup

from restore.cli.commands import CheapSwitches, stand_in
from restore.cli.outcome import complain, outcome, take_debug

ORDER = ("train", "predict", "evaluate", "import", "list-plugins", "show", "doctor")
"""Commands of the tool as the help lists them."""


class Restore(CheapSwitches, TyperGroup):
    """The commands of the tool, and behind them the verbs of plugins."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002 - Typer's signature; errors are always seen to here
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line and leave with its exit status; the one place where errors become messages."""
        arguments, debug = take_debug(list(sys.argv[1:] if args is None else args))
        if args is None:
            # Left to Typer to read, since it expands patterns where the shell, as on Windows, does not.
            sys.argv[1:] = arguments
        run = super().main
        call = partial(
            run,
            args=None if args is None else arguments,
            prog_name=prog_name or "restore",
            complete_var=complete_var,
            standalone_mode=False,
            windows_expand_args=windows_expand_args,
            **extra,
        )
        sys.exit(outcome(call, debug=debug))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """One of the tool's commands, else a verb of a plugin."""
        if args[0] in self.commands:
            return args[0], self.commands[args[0]], args[1:]
        try:
            return self._verb(ctx, args)
        except Exception:
            if ctx.resilient_parsing:  # a shell is completing: nothing to offer
                return None, None, args[1:]
            raise

    def _verb(self, ctx: Any, args: list[str]) -> Any:
        from restore.cli.suggestions import did_you_mean
        from restore.cli.verbs import find_verb, verb_summaries

        verb = find_verb(args[0], args[1:])
        if verb is None and not ctx.resilient_parsing:
            if args[0].startswith("-"):
                return super().resolve_command(ctx, args)
            known = [*self.commands, *(name for name, _ in verb_summaries())]
            ctx.fail(f"There is no command '{args[0]}'.{did_you_mean(args[0], known)}")
        return args[0] if verb else None, verb, args[1:]

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """The tool's commands, then the verbs of plugins."""
        return [*ORDER, *(name for name, _ in _verbs())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's signature
        """A command, or a stand-in for a verb that completion and help list."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        summary = dict(_verbs()).get(cmd_name)
        return None if summary is None else stand_in(cmd_name, summary)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Write the commands, the verbs of plugins under a heading of their own."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.commands[name].get_short_help_str(200)) for name in ORDER])
        if verbs := list(_verbs()):
            with formatter.section("Commands of plugins"):
                formatter.write_dl(verbs)

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Say what the tool is for and what to type first."""
        super().format_help_text(ctx, formatter)
        name = _first_task()
        rows = [
            (f"restore train {name}", "train on a sample of pictures"),
            ("restore predict RUN photo.jpg --output out/", "use what was trained"),
            ("restore train --help", "what else can be trained"),
            ("restore doctor", "check this machine"),
        ]
        with formatter.section("Type first"):
            formatter.write_dl(rows, col_max=50)


def _verbs() -> Iterator[tuple[str, str]]:
    """Verbs of plugins; none where the registry has a complaint, so that help is always shown."""
    from restore import registry
    from restore.cli.verbs import verb_summaries

    try:
        yield from verb_summaries()
    except registry.RegistryError as error:
        complain(str(error), prefix="Warning: ")


def _first_task() -> str:
    """A name to show in an example."""
    from restore import registry
    from restore.cli.subjects import trainable_tasks

    try:
        return next(trainable_tasks(), ("TASK", ""))[0]
    except registry.RegistryError:
        return "TASK"
