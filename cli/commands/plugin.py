"""``restore plugin check NAME``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from restore import registry
from restore.cli.console.paragraphs import wrap
from restore.cli.exit import FAILED, SUCCESS
from restore.cli.typer_groups import LookupGroup, make_function_command
from restore.core.errors import UsageError
from restore.registry.naming import did_you_mean

_COLORS = {"PASS": "green", "FAIL": "red", "SKIP": "yellow"}


def _complete_plugin(incomplete: str) -> list[str]:
    return [plugin.name for plugin in registry.plugins() if plugin.name.startswith(incomplete)]


def check(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|PATH",
            help="An installed plugin, or the folder of one that need not be installed; unset: this folder.",
            autocompletion=_complete_plugin,
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of images for --data; unset: a folder of plain images is made."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a plugin, and print one line for each check."""
    from restore.cli.plugin_check.checks import list_checks
    from restore.cli.plugin_check.report import Result, run_checks
    from restore.cli.plugin_check.target import find_target

    if data is not None and not data.is_dir():
        raise UsageError(f"--data {data}: no such folder")
    target = find_target(name or _here())
    plugin = target.plugin
    source = " ".join(filter(None, [plugin.distribution or str(plugin.path), plugin.version]))
    results: list[Result] = []
    if not as_json:
        typer.echo(f"Checking plugin {plugin.name} ({source}). This takes a minute or two.")
    with tempfile.TemporaryDirectory(prefix="restore-") as folder:
        for result in run_checks(list_checks(target, Path(folder).resolve(), data and data.resolve())):
            results.append(result)
            if not as_json:
                typer.echo(_format(result.name, result.state, result.reason, result.seconds))
    counts = {state: sum(result.state == state for result in results) for state in _COLORS}
    if as_json:
        checks = [{**vars(result), "seconds": round(result.seconds, 2)} for result in results]
        described = {"plugin": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
        typer.echo(json.dumps({**described, "passed": not counts["FAIL"], "checks": checks}, indent=2))
    else:
        seconds = sum(result.seconds for result in results)
        failed = "1 check failed" if counts["FAIL"] == 1 else f"{counts['FAIL']} checks failed"
        summary = failed if counts["FAIL"] else "the plugin keeps its contract"
        typer.echo(f"\n{plugin.name}: {summary} ({counts['PASS']} passed, {counts['SKIP']} skipped, {seconds:.0f} s)")
    raise typer.Exit(FAILED if counts["FAIL"] else SUCCESS)


def _here() -> str:
    """Return the working directory if it is the folder of a plugin. Raises UsageError if it is not."""
    if not Path("pyproject.toml").is_file():
        known = ", ".join(plugin.name for plugin in registry.plugins())
        raise UsageError(f"name a plugin, or run this in the folder of one, with a pyproject.toml; installed: {known}")
    return "."


def _format(name: str, state: str, reason: str, seconds: float) -> str:
    line = f"{typer.style(state, fg=_COLORS[state])} {seconds:6.1f} s  {name}"
    return f"{line}\n{wrap(reason, ' ' * 15)}" if reason else line


_COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "check": (check, "Check that a plugin does what users rely on."),
}
"""The commands of the group, each with its summary."""


class PluginCommandGroup(LookupGroup):
    """The commands for authors of plugins."""

    names_heading = "Commands"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Yield the commands."""
        yield from ((name, summary) for name, (_, summary) in _COMMANDS.items())

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """Return the command of a name."""
        if args[0] not in _COMMANDS:
            hint = did_you_mean(args[0], _COMMANDS) or f"; available: {', '.join(_COMMANDS)}"
            raise UsageError(f"'restore plugin' has no command '{args[0]}'{hint}")
        run, summary = _COMMANDS[args[0]]
        return args[0], make_function_command(args[0], run, summary), args[1:]
