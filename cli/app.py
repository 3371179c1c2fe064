"""The ``restore`` command."""

from __future__ import annotations

from typing import Annotated

import typer

from restore.cli.commands.doctor import doctor
from restore.cli.commands.evaluate import EvaluateCommands
from restore.cli.commands.import_weights import import_weights
from restore.cli.commands.list_plugins import list_plugins
from restore.cli.commands.predict import PredictCommands
from restore.cli.commands.show import show
from restore.cli.commands.train import TrainCommands
from restore.cli.root import Restore
from restore.cli.typer_groups import CONTEXT_SETTINGS, GroupedCommand, LookupGroup

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


def _add_group(name: str, group: type[LookupGroup], summary: str, usage: str) -> None:
    app.add_typer(
        typer.Typer(cls=group, rich_markup_mode=None),
        name=name,
        help=summary,
        subcommand_metavar=usage,
        options_metavar="",
        context_settings=CONTEXT_SETTINGS,
    )


_add_group("train", TrainCommands, "Train a model on images.", "TASK [OPTIONS]")
_add_group(
    "evaluate",
    EvaluateCommands,
    "Measure trained models and classical methods on the same images.",
    "RUN|WEIGHTS|NAME… [--data DIR] [OPTIONS]",
)
_add_group(
    "predict",
    PredictCommands,
    "Apply a trained model or a classical method to images.",
    "RUN|WEIGHTS|NAME INPUT… --output DIR [OPTIONS]",
)
app.command("import", cls=GroupedCommand)(import_weights)
app.command("list-plugins", cls=GroupedCommand)(list_plugins)
app.command("show", cls=GroupedCommand)(show)
app.command("doctor", cls=GroupedCommand)(doctor)
