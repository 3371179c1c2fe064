"""The ``restore`` command."""

from __future__ import annotations

from typing import Annotated

import typer

from restore.cli.root import Restore
from restore.cli.typer_groups import CONTEXT_SETTINGS

EPILOG = "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted. --debug shows the traceback of an error."


app = typer.Typer(
    cls=Restore,
    name="restore",
    help="Train, evaluate and run image restoration models.",
    epilog=EPILOG,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=CONTEXT_SETTINGS,
)


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Show the version, or the help if there is no command."""
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"restore {version_of('restorekit')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
