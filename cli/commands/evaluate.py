"""``restore evaluate``: measure runs, weights files and classical methods on the same images."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restore.cli.backends import check_backend
from restore.cli.commands.evaluation_data import refuse_other_dataset, refuse_sample
from restore.cli.commands.evaluation_report import (
    MeasuredSet,
    check_new_file,
    format_intervals,
    raise_failures,
    to_json,
    write_csv,
    write_page,
)
from restore.cli.commands.measure_models import measure_set, open_subjects
from restore.cli.commands.paper_table import format_paper_table
from restore.cli.model_labels import label_models
from restore.cli.model_ref import ModelRef, list_models, refuse_image, resolve_model
from restore.cli.typer_groups import LookupGroup, make_command
from restore.core.errors import UsageError

if TYPE_CHECKING:
    from restore.cli.command_line import CommandLine
    from restore.cli.commands.evaluation_subjects import Subject
    from restore.cli.task_options import EvaluateRequest
    from restore.core.reduction import Evaluation
    from restore.core.runtime.worker_pool import Channel
    from restore.core.settings import Settings


class EvaluateCommands(LookupGroup):
    """What can be measured; several at once for a table."""

    names_heading = "Available"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Yield the runs in ``runs/`` and the classical methods."""
        yield from list_models()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """Return the command for all names before the first option."""
        names = list(takewhile(lambda argument: not argument.startswith("-"), args))
        rest = args[len(names) :]
        for name in names:
            refuse_image(name, f"evaluate bicubic --data {shlex.quote(str(Path(name)))}")
        return " ".join(names), evaluate_command([resolve_model(name) for name in names], rest), rest


def evaluate_command(models: Sequence[ModelRef], arguments: list[str], then: Callable[..., None] | None = None) -> Any:
    """Make a command with the options of every evaluation and those that all the tasks share.

    Args:
        models: what to measure.
        arguments: the command line after their names, to report errors with the flags as typed.
        then: what is called with the arguments of `evaluate`; None: that.
    """
    from restore.cli.task_options import EvaluateRequest, TaskOptions

    arguments = list(arguments)  # Typer takes words off the list that it reads
    options = TaskOptions(models, "evaluate", EvaluateRequest, arguments)

    def run(more: list[str] | None, as_json: bool, **given: Any) -> None:
        if more:
            raise UsageError(f"unexpected {more[0]} after an option; give all names first, then options")
        request, own = options.read(given)
        (then or evaluate)(models, request, own, arguments, as_json=as_json)

    names = [model.name for model in models]
    more = Annotated[list[str] | None, typer.Argument(hidden=True)]
    as_json = Annotated[
        bool, typer.Option("--json", help="Print one JSON object with the metrics of the set and of every image.")
    ]
    return make_command(
        " ".join(names),
        run,
        [
            Parameter("more", Parameter.KEYWORD_ONLY, default=None, annotation=more),
            *options.parameters,
            Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=as_json),
        ],
        usage="[--data DIR] [OPTIONS]",
        help_text=f"Measure {', '.join(names)} on images.\n\n" + "\n\n".join(model.entry.summary for model in models),
    )


def evaluate(
    models: Sequence[ModelRef],
    request: EvaluateRequest,
    options: Sequence[Settings | None],
    arguments: Sequence[str],
    *,
    as_json: bool = False,
) -> None:
    """Measure every model and print a table for each folder, or one JSON object.

    All models are opened before the first is measured.

    Args:
        models: what to measure.
        request: the options of the command. Without ``data`` each model is measured on the built-in sample of its
            task, which must be the same images for all.
        options: the task's own options of each model.
        arguments: the command line after their names, for other processes.
        as_json: print JSON.

    Raises:
        UsageError: there is no such folder or protocol, a run was trained on other data than the built-in sample and
            ``data`` is not given, or the images are not the same for all.
    """
    from restore.cli.command_line import CommandLine
    from restore.core.images.listing import require_folder

    for folder in request.data:
        require_folder(folder)
    for file in filter(None, (request.csv, request.report)):
        check_new_file(file)
    check_backend(request.backend, request.device)
    if request.backend != "torch" and all(model.weights is None for model in models):
        raise UsageError(f"--backend {request.backend}: classical methods have no network; leave it out")
    labels = label_models(models)
    if request.self_ensemble:
        labels = [
            label if model.weights is None else f"{label} (self-ensemble)"
            for model, label in zip(models, labels, strict=True)
        ]
    for model, own in zip(models, options, strict=True):
        if own is None or "dataset" not in own.model_fields_set:
            refuse_other_dataset(model, own)
            if not request.data:
                refuse_sample(model)
    folders: Sequence[Path | None] = request.data or (None,)
    names = [model.name for model in models]
    typed = shlex.join(["restore", "evaluate", *names, *_without_outputs(arguments)])
    command = CommandLine(serve, names, arguments, typed=typed)
    sets = [measure_set(models, labels, request, options, folder, command) for folder in folders]
    if request.csv is not None:
        write_csv(request.csv, sets)
    if request.report is not None:
        write_page(request.report, sets)
    if as_json:
        print(to_json(sets))
    else:
        _print_sets(sets, request)
    raise_failures(sets)


def _without_outputs(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line that decide the numbers, not where they go."""
    words = iter(arguments)
    for word in words:
        if word in ("--csv", "--report"):
            next(words, None)
        elif word != "--json" and not word.startswith(("--csv=", "--report=")):
            yield word


def serve(channel: Channel, command: CommandLine, data: Path | None) -> None:
    """Work in a process of its own: read the command line again, then measure what the parent hands out."""
    from restore.cli.commands.evaluation_workers import serve_measurements

    def work(
        models: Sequence[ModelRef],
        request: EvaluateRequest,
        options: Sequence[Settings | None],
        *_: Any,
        **__: Any,
    ) -> None:
        def open_all() -> Sequence[Subject]:
            return open_subjects(models, request, options, data, lambda _: None)  # the parent says it too

        serve_measurements(channel, request.torch_device, open_all)

    arguments = list(command.arguments)
    parsed = evaluate_command([resolve_model(name) for name in command.names], arguments, work)
    parsed.main(args=arguments, prog_name="restore evaluate", standalone_mode=False)


def _print_sets(sets: Sequence[MeasuredSet], request: EvaluateRequest) -> None:
    """Print what was measured in the form that was asked for."""
    if request.table != "plain":
        typer.echo(format_paper_table(sets, request.table))
    for index, each in enumerate(sets):
        if request.table == "plain":
            typer.echo("\n" * bool(index), nl=False)
            _print_table(each.measured, each.data, each.images)
        if request.intervals:
            typer.echo("\n" + "\n".join(format_intervals(each.measured, each.data)))


def _print_table(measured: Sequence[Evaluation], data: Path | None, images: int) -> None:
    from restore.cli.console.tables import format_table, to_rows

    print(f"{images} image{'' if images == 1 else 's'} of {'the built-in sample' if data is None else data}")
    headings, *lines = format_table(to_rows(number for each in measured for number in each.numbers), "")
    typer.secho(headings, bold=True, color=False if "NO_COLOR" in os.environ else None)
    typer.echo("\n".join(lines))
