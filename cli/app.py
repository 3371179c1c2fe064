"""The ``restore`` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restore.cli.commands import WIDE, FoundCommands, GroupedCommand
from restore.cli.root import Restore
from restore.cli.training import TrainCommands
from restore.cli.using import EvaluateCommands, PredictCommands

EPILOG = "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted. --debug shows the traceback of an error."


app = typer.Typer(
    cls=Restore,
    name="restore",
    help="Train, measure and use models that repair or re-draw pictures.",
    epilog=EPILOG,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=WIDE,
)


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    """Show the version, or the help where no command was typed."""
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"restore {version_of('restorekit')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _add_group(name: str, group: type[FoundCommands], summary: str, usage: str) -> None:
    app.add_typer(
        typer.Typer(cls=group, rich_markup_mode=None),
        name=name,
        help=summary,
        subcommand_metavar=usage,
        options_metavar="",
        context_settings=WIDE,
    )


_add_group("train", TrainCommands, "Train a model on pictures.", "TASK [OPTIONS]")
_add_group(
    "evaluate",
    EvaluateCommands,
    "Measure trained models and fixed methods on pictures.",
    "RUN|WEIGHTS|NAME… [--data DIR] [OPTIONS]",
)
_add_group(
    "predict",
    PredictCommands,
    "Use a trained model, or a fixed method, on pictures.",
    "RUN|WEIGHTS|NAME INPUT… --output DIR [OPTIONS]",
)


def _complete_task(incomplete: str) -> list[str]:
    from restore.cli.subjects import trainable_tasks

    return [name for name, _ in trainable_tasks() if name.startswith(incomplete)]


def _complete_codebase(context: typer.Context, incomplete: str) -> list[str]:
    from restore import registry
    from restore.cli.codebases import codebase_names

    task = context.params.get("task")
    known = codebase_names(registry.entry("tasks", str(task))) if task else []
    return [name for name in known if name.startswith(incomplete)]


@app.command("import", cls=GroupedCommand)
def import_checkpoint(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A checkpoint: .pth, .pt, .ckpt or .safetensors.")],
    task: Annotated[
        str, typer.Option(metavar="NAME", help="The task that the weights are for.", autocompletion=_complete_task)
    ],
    output: Annotated[Path, typer.Option(metavar="FILE", help="The weights file to write, *.safetensors.")],
    codebase: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="CODEBASE",
            help="Code base that wrote it; unset: the only one whose names fit. 'restore show TASK' lists them.",
            autocompletion=_complete_codebase,
        ),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take what fits, and leave out or initialise the rest.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there already.")] = False,
) -> None:
    """Bring in a checkpoint of another code base."""
    from restore.cli.importing import import_checkpoint as bring_in

    bring_in(file, task=task, codebase=codebase, output=output, partial=partial, overwrite=overwrite)


@app.command("list-plugins", cls=GroupedCommand)
def list_plugins(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a plugin cannot be used.")] = False,
) -> None:
    """Show what is installed, and why something cannot be used."""
    from restore.cli.listing import list_all

    raise typer.Exit(list_all(as_json=as_json, strict=strict))


def _complete_name(incomplete: str) -> list[str]:
    from restore.cli.showing import names

    return [name for name in names() if name.startswith(incomplete) and " " not in name]


@app.command("show", cls=GroupedCommand)
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A plugin, or a task, architecture, … of one; a run folder; a weights file.",
            autocompletion=_complete_name,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a task's settings.")] = False,
) -> None:
    """Tell about a name, a run or a weights file."""
    from restore.cli.showing import show_name

    show_name(name, as_json=as_json, schema=schema)


@app.command("doctor", cls=GroupedCommand)
def doctor() -> None:
    """Check this machine, and say what is wrong."""
    from restore.cli.doctor import examine

    raise typer.Exit(examine())
