"""``restore evaluate``: measure runs, weights files and classical methods on the same images."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restore.cli.commands.evaluation_report import (
    MeasuredModel,
    MeasuredSet,
    check_csv,
    format_intervals,
    to_json,
    write_csv,
)
from restore.cli.commands.paper_table import format_paper_table
from restore.cli.exit import print_error, print_warning
from restore.cli.model_ref import ModelRef, list_models, refuse_image, resolve_model
from restore.cli.typer_groups import LookupGroup, make_command
from restore.core.errors import RestoreError, UsageError

if TYPE_CHECKING:
    from restore.cli.task_options import EvaluateRequest
    from restore.core.dataset import ImageDataset
    from restore.core.evaluation import Evaluation
    from restore.core.method import Method
    from restore.core.metrics import EvaluationProtocol, NamedMetric
    from restore.core.networks import Networks
    from restore.core.settings import Settings
    from restore.core.weights.header import Header


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


def evaluate_command(models: Sequence[ModelRef], arguments: list[str]) -> Any:
    """Make a command with the options of every evaluation and those that all the tasks share.

    Args:
        models: what to measure.
        arguments: the command line after their names, to report errors with the flags as typed.
    """
    from restore.cli.task_options import EvaluateRequest, TaskOptions

    options = TaskOptions(models, "evaluate", EvaluateRequest, arguments)

    def run(more: list[str] | None, as_json: bool, **given: Any) -> None:
        if more:
            raise UsageError(f"unexpected {more[0]} after an option; give all names first, then options")
        request, own = options.read(given)
        evaluate(models, request, own, as_json=as_json)

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


@dataclass(frozen=True)
class _Opened:
    """An opened model, and the registered metrics that it is measured with too."""

    model: ModelRef
    method: Method
    networks: Networks
    metrics: Sequence[NamedMetric]


@dataclass(frozen=True)
class _Subject:
    """An opened model with the images and the protocol that it is measured with."""

    model: ModelRef
    method: Method
    networks: Networks
    images: ImageDataset
    protocol: EvaluationProtocol


def evaluate(
    models: Sequence[ModelRef], request: EvaluateRequest, options: Sequence[Settings | None], *, as_json: bool = False
) -> None:
    """Measure every model and print a table for each folder, or one JSON object.

    All models are opened before the first is measured.

    Args:
        models: what to measure.
        request: the options of the command. Without ``data`` each model is measured on the built-in sample of its
            task, which must be the same images for all.
        options: the task's own options of each model.
        as_json: print JSON.

    Raises:
        UsageError: there is no such folder or protocol, a run was trained on other data than the built-in sample and
            ``data`` is not given, or the images are not the same for all.
    """
    from restore.core.images.listing import require_folder

    for folder in request.data:
        require_folder(folder)
    if request.csv is not None:
        check_csv(request.csv)
    labels = label_models(models)
    for model, own in zip(models, options, strict=True):
        if own is None or "dataset" not in own.model_fields_set:
            _refuse_other_dataset(model, own)
            if not request.data:
                _refuse_sample(model)
    folders: Sequence[Path | None] = request.data or (None,)
    sets = [_measure_set(models, labels, request, options, folder) for folder in folders]
    if request.csv is not None:
        write_csv(request.csv, sets)
    if as_json:
        print(to_json(sets))
    else:
        _print_sets(sets, request)
    failed = sum(each.failed for each in sets)
    if failed:
        total = sum(each.images + each.failed for each in sets)
        raise RestoreError(f"{failed} of {total} images could not be measured; see above")


def _measure_set(
    models: Sequence[ModelRef],
    labels: Sequence[str],
    request: EvaluateRequest,
    options: Sequence[Settings | None],
    data: Path | None,
) -> MeasuredSet:
    """Measure every model on the images of a folder, or on the built-in sample; arguments as `evaluate`."""
    from restore.cli.console.bar import open_bar
    from restore.cli.console.log_capture import print_log_warnings
    from restore.core import evaluation
    from restore.core.images.damaged import leave_out_damaged
    from restore.core.runtime.devices import device_of

    device = device_of(request.device)
    with print_log_warnings(), open_bar() as bar, leave_out_damaged() as damaged:
        opened = [_open(model, each, request) for model, each in zip(models, options, strict=True)]
        subjects = [_find_images(each, request.protocol, data) for each in opened]
        names = _check_same_images(subjects, data)
        scales = [subject.method.outputs[subject.method.main_output].scale for subject in subjects]
        measured, failed = [], _FailedImages(damaged)
        for label in labels:
            # Taken off the list: networks stay on the device, and only few fit there.
            subject = subjects.pop(0)
            measured.append(
                evaluation.evaluate(
                    subject.method,
                    subject.networks,
                    subject.images,
                    subject.protocol,
                    device=device,
                    of=label,
                    progress=lambda done, total, label=label: bar.show(label, done, total),  # type: ignore[misc]
                    failed=failed.add,
                )
            )
    sources = [MeasuredModel(*each) for each in zip(models, labels, scales, strict=True)]
    for note in dict.fromkeys(note for each in measured for note in each.notes):
        print_warning(note)
    count = len(names) - len(failed.measuring)
    return MeasuredSet(data, count, failed.count, measured, sources, request.protocol or "default", str(device))


class _FailedImages:
    """Reports each image that cannot be read or measured once, whichever model meets it first."""

    def __init__(self, damaged: Mapping[Path, str]) -> None:
        """Report the files that were left out when the images were listed."""
        self.measuring: set[str] = set()
        self._damaged = damaged
        for message in damaged.values():
            print_error(message)

    @property
    def count(self) -> int:
        """How many images failed."""
        return len(self.measuring) + len(self._damaged)

    def add(self, name: str, error: RestoreError) -> None:
        """Report an image."""
        if name not in self.measuring:
            message = str(error)
            print_error(message if Path(name).name in message else f"{name}: {message}")
        self.measuring.add(name)


def _open(model: ModelRef, options: Settings | None, request: EvaluateRequest) -> _Opened:
    """Open a model and find the registered metrics. Raises UsageError for one that does not fit it."""
    from restore.cli.settings.registered_metrics import find_metric

    method, networks = model.open(evaluate=options)
    find_protocol(model, method, request.protocol)  # so that a wrong name is refused before images are looked at
    metrics = []
    for text in request.metric:
        try:
            metrics.append(find_metric(text, method))
        except UsageError as error:
            raise UsageError(f"--metric {text} cannot be measured of {model.name}: {error}") from error
    return _Opened(model, method, networks, metrics)


def _find_images(opened: _Opened, wanted: str | None, data: Path | None) -> _Subject:
    from restore.core.dataset import as_dataset
    from restore.core.metrics import add_metric

    method = opened.method
    images = as_dataset(method.evaluation_data(data))  # before the protocols, which may depend on the data
    protocol = find_protocol(opened.model, method, wanted, check=False)
    for metric in opened.metrics:
        protocol, _ = add_metric(protocol, metric)
    return _Subject(opened.model, method, opened.networks, images, protocol)


def _read_run(model: ModelRef) -> Mapping[str, Any]:
    """Return the settings of the run that weights are of; empty if the weights lie alone."""
    from restore.core.runs.folder import read_config, read_task

    if model.weights is None or not (model.weights.parent / "config.yaml").is_file():
        return {}
    try:
        read_task(model.weights.parent)
    except UsageError:  # some settings file that happens to be next to a weights file
        return {}
    return read_config(model.weights.parent)


def _refuse_other_dataset(model: ModelRef, options: Settings | None) -> None:
    """Raise UsageError for a run that was trained on another dataset than it would be measured on."""
    trained = _read_run(model).get("dataset")
    measured = options.model_dump(mode="json").get("dataset") if options is not None else None
    if isinstance(trained, Mapping) and measured is not None and trained != measured:
        words = [word for name, value in trained.items() for word in _as_words(name, value)]
        raise UsageError(
            f"{model.name} was trained on another dataset than it would be measured on; give the one to measure on: "
            f"{shlex.join(words)}"
        )


def _as_words(name: str, value: Any) -> list[str]:
    """Return a setting of a dataset as it is typed on the command line."""
    flag = "dataset" if name == "name" else f"dataset.{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if value is None:
        return []
    return [f"--{flag}", *map(str, value if isinstance(value, list | tuple) else [value])]


def _refuse_sample(model: ModelRef) -> None:
    """Raise UsageError for a run that was validated on other data: its metrics are not those of the sample."""
    config = _read_run(model)
    data = config.get("val_data") or config.get("data")
    if data:
        trained = f"trained on {config['data']}" if config.get("data") else f"validated on {data}"
        other = shlex.quote(str(config["val_data"])) if config.get("val_data") else "FOLDER"
        raise UsageError(f"{model.name} was {trained}; give the images to measure on: --data {other}")


def _check_same_images(subjects: Sequence[_Subject], data: Path | None) -> list[str]:
    """Return the names of the images. Raises UsageError if they are not the same for all."""
    first, *others = ([subject.images.name(index) for index in range(len(subject.images))] for subject in subjects)
    for subject, names in zip(subjects[1:], others, strict=True):
        if names != first:
            advice = "give --data" if data is None else "evaluate each on its own"
            where = "" if data is None else f" in {data}"
            raise UsageError(
                f"{subject.model.name} would be measured on other images{where} than {subjects[0].model.name}; {advice}"
            )
    return first


def _label_weights(model: ModelRef, header: Header) -> str:
    """Return the phase of a run, and the name of weights that a plugin ships."""
    return header.phase or model.name if Path(model.name).exists() else model.name


def label_models(models: Sequence[ModelRef]) -> list[str]:
    """Return a short label for each model: the phase of a run, the name of a classical method, else what was typed.

    Equal labels get the name of the plugin in front, and become what was typed if they are still equal. Raises
    UsageError if one model is given twice.
    """
    twice = [name for name, count in Counter(model.name for model in models).items() if count > 1]
    if twice:
        raise UsageError(f"{twice[0]} is given twice")
    short = [model.entry.name if model.header is None else _label_weights(model, model.header) for model in models]
    full = [f"{model.entry.plugin}/{label}" for model, label in zip(models, short, strict=True)]
    labels = [long if short.count(label) > 1 else label for label, long in zip(short, full, strict=True)]
    return [model.name if labels.count(label) > 1 else label for model, label in zip(models, labels, strict=True)]


def find_protocol(model: ModelRef, method: Method, name: str | None, *, check: bool = True) -> EvaluationProtocol:
    """Return the protocol of a name, its own or a registered one, or the default one.

    ``check`` tries a registered one on small images. Raises UsageError if there is none of the name that fits; the
    message lists those of the task.
    """
    known = method.protocols()
    if not known:
        raise UsageError(f"{model.name}: {model.entry.full_name} has no evaluation protocol, so it cannot be measured")
    if name is None:
        return known[method.default_protocol]
    if name in known:
        return known[name]
    from restore.cli.settings.registered_metrics import find_registered_protocol

    try:
        return find_registered_protocol(name, method, check=check)
    except UsageError as error:
        raise UsageError(
            f"--protocol {name}: {model.entry.full_name} has no such protocol; it has {', '.join(known)}\n{error}"
        ) from error


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
