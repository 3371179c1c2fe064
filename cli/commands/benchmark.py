"""``restore benchmark``: the table of a paper, of several models on several sets at several scales."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from restore.cli.commands.evaluation_data import refuse_other_dataset
from restore.cli.commands.evaluation_report import MeasuredSet, check_new_file, raise_failures, to_json, write_csv
from restore.cli.commands.measure_models import measure_set
from restore.cli.commands.paper_table import format_grouped_table, title_folders
from restore.cli.foreign_weights import scale_of
from restore.cli.model_labels import label_models
from restore.cli.model_ref import ModelRef, refuse_image, resolve_model
from restore.cli.typer_groups import LookupGroup, make_function_command
from restore.core.errors import UsageError
from restore.registry.naming import did_you_mean

if TYPE_CHECKING:
    from restore.cli.task_options import EvaluateRequest

KINDS = {"sr": "Super-resolution: PSNR and SSIM of models on sets and scales."}
"""The tables that can be made."""
_SEVERAL = ("--data", "--scale", "--metric")
"""Flags that take several values, one after the other."""


class BenchmarkCommands(LookupGroup):
    """The tables, by the short name of their task in papers."""

    names_heading = "Tables"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Yield the tables."""
        yield from KINDS.items()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """Return the command of a table."""
        if args[0] not in KINDS:
            raise UsageError(f"no such table: '{args[0]}'{did_you_mean(args[0], KINDS)}; there is {', '.join(KINDS)}")
        return args[0], make_function_command(args[0], benchmark_sr, KINDS[args[0]]), repeat_flags(args[1:], _SEVERAL)


def repeat_flags(words: Sequence[str], flags: Sequence[str]) -> list[str]:
    """Return a command line with a flag before each of several values: ``--data A B`` as ``--data A --data B``."""
    written: list[str] = []
    flag = ""
    for word in words:
        if word.startswith("-") and not re.fullmatch(r"-[0-9.]+", word):
            flag = word if word in flags else ""
        elif flag and written[-1] != flag:
            written.append(flag)
        written.append(word)
    return written


Models = Annotated[list[str], typer.Argument(metavar="MODEL", help="Runs, weights and classical methods.")]
Data = Annotated[
    list[Path],
    typer.Option(
        metavar="DIR…",
        help="Folders to measure on: with images, with HR/ and LR/, or with x2/, x3/, … that have these.",
    ),
]
Scales = Annotated[
    list[int] | None,
    typer.Option(metavar="N…", help="Scales; unset: those of the folders x2/, x3/, …, else those of the weights."),
]
Protocol = Annotated[
    str, typer.Option(metavar="NAME", help="Set of metrics: y8-border, y-border, rgb-border, PLUGIN/NAME.")
]
Metrics = Annotated[list[str] | None, typer.Option(metavar="NAME…", help="Registered metrics to compute besides.")]
Table = Annotated[Literal["markdown", "latex"], typer.Option(help="Language of the table.")]
Values = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the value of each image to a CSV file too.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")]
DeviceName = Annotated[str, typer.Option(metavar="NAME", help="Device to compute on: auto, cpu, cuda, cuda:1, mps.")]


def benchmark_sr(
    models: Models,
    data: Data,
    scale: Scales = None,
    protocol: Protocol = "y8-border",
    metric: Metrics = None,
    table: Table = "markdown",
    csv: Values = None,
    as_json: AsJSON = False,
    device: DeviceName = "auto",
) -> None:
    """Measure every model at its scales on every folder, and print the table of a paper.

    Raises:
        UsageError: a folder does not exist, a model upscales nothing, or no scale is known.
        RestoreError: images could not be measured.
    """
    from restore.core.images.listing import require_folder

    for folder in data:
        require_folder(folder)
    if csv is not None:
        check_new_file(csv)
    for name in models:
        refuse_image(name, f"benchmark sr bicubic --data {data[0]}")
    resolved = [resolve_model(name) for name in models]
    label_models(resolved)  # so that a model that is given twice is refused
    titles = title_folders(data)
    given = {"protocol": protocol, "metric": metric or [], "device": device}
    words = ["restore", "benchmark", "sr", *models, "--data", *map(str, data), "--protocol", protocol]
    words += [word for flag, values in (("--scale", scale), ("--metric", metric)) for word in _list_words(flag, values)]
    groups = []
    for each in _list_scales(resolved, data, scale):
        of_scale = [model for model in resolved if _find_fixed_scale(model) in (None, each)]
        places = {title: _place_of(folder, each) for title, folder in zip(titles, data, strict=True)}
        found = {title: place for title, place in places.items() if place is not None}
        if of_scale and found:
            groups.append(_measure_scale(of_scale, each, found, given, shlex.join(words)))
    if not groups:
        raise UsageError("nothing to measure: no model has a scale that the folders have; see --scale")
    sets = [each for group in groups for each in group.values()]
    if csv is not None:
        write_csv(csv, sets)
    typer.echo(to_json(sets) if as_json else format_grouped_table(groups, titles, table))
    raise_failures(sets)


def _list_words(flag: str, values: Sequence[object] | None) -> list[str]:
    return [flag, *map(str, values)] if values else []


def _measure_scale(
    models: Sequence[ModelRef], scale: int, folders: dict[str, Path], given: dict[str, Any], command_line: str
) -> dict[str, MeasuredSet]:
    """Return what models of a scale, or of any, reach on each folder; ``command_line`` is the whole command."""
    from restore.cli.command_line import CommandLine
    from restore.cli.commands.evaluate import serve
    from restore.cli.task_options import EvaluateRequest, TaskOptions

    options = TaskOptions(models, "evaluate", EvaluateRequest, [])
    request: EvaluateRequest
    typed = {f"setting_{name}": value for name, value in {**given, "scale": str(scale)}.items()}
    request, own = options.read(typed)
    for model, each in zip(models, own, strict=True):
        if _find_fixed_scale(model) is None and "scale" not in type(each).model_fields:
            raise UsageError(f"{model.name} upscales nothing, so it has no place in a table of super-resolution")
        refuse_other_dataset(model, each)
    labels, names = label_models(models), [model.name for model in models]
    command = CommandLine(serve, names, [], typed=command_line)
    return {title: measure_set(models, labels, request, own, folder, command) for title, folder in folders.items()}


def _find_fixed_scale(model: ModelRef) -> float | None:
    """Return the scale of weights; None for a method that has any."""
    return None if model.header is None else scale_of({"scale": 1, **model.header.model})


def _list_scales(models: Sequence[ModelRef], data: Sequence[Path], wanted: Sequence[int] | None) -> list[int]:
    """Return the scales of the table, in ascending order. Raises UsageError if none is known."""
    inside = {scale for folder in data for scale in _scales_inside(folder)}
    of_weights = {int(scale) for scale in map(_find_fixed_scale, models) if scale is not None}
    scales = set(wanted or ()) or inside or of_weights
    if not scales:
        raise UsageError("no scale is known: give --scale 2 3 4, or folders with x2/, x3/, … in them")
    return sorted(scales)


def _scales_inside(folder: Path) -> list[int]:
    names = [re.fullmatch(r"x([1-9][0-9]?)", each.name, re.IGNORECASE) for each in folder.iterdir() if each.is_dir()]
    return [int(name[1]) for name in names if name]


def _place_of(folder: Path, scale: int) -> Path | None:
    """Return the images of a scale; None if a folder has those of other scales alone."""
    places = [each for each in sorted(folder.iterdir()) if each.is_dir() and each.name.lower() == f"x{scale}"]
    return places[0] if places else None if _scales_inside(folder) else folder
