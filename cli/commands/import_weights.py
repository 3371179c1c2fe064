"""``restore import``: convert a checkpoint of another program to a weights file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restore import registry
from restore.cli.counting import count
from restore.cli.model_ref import list_trainable_tasks, needs_training
from restore.core.errors import UsageError
from restore.registry.naming import did_you_mean

if TYPE_CHECKING:
    from restore.core.weights.convert import Report


def _complete_task(incomplete: str) -> list[str]:
    return [name for name, _ in list_trainable_tasks() if name.startswith(incomplete)]


def _complete_converter(context: typer.Context, incomplete: str) -> list[str]:
    task = context.params.get("task")
    entry = registry.entry("tasks", str(task)) if task else None
    known = entry.locate("imports") if entry is not None and "imports" in entry.references else ()
    general = (converter.name for converter in registry.entries("converters"))
    return [name for name in (*known, *general) if name.startswith(incomplete)]


def import_weights(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A checkpoint: .pth, .pt, .ckpt or .safetensors.")],
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The task that the weights are for; unset: the one that they fit.",
            autocompletion=_complete_task,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The weights file to write, *.safetensors; unset: the name of FILE, in the working directory.",
        ),
    ] = None,
    converter: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="CONVERTER",
            help="Converter that wrote the checkpoint; unset: the one whose parameter names fit. "
            "'restore show TASK' lists them.",
            autocompletion=_complete_converter,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="The part of the file to take: a key, with / between nested ones, or the first word of the names of "
            "its parameters; unset: the part that fits.",
        ),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Load the tensors that fit, and skip or initialize the others.")
    ] = False,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A model setting that no tensor shows, such as scale=2; may be repeated.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file if it exists.")] = False,
) -> None:
    """Convert a checkpoint of another project to a weights file."""
    from restore.cli.console.next_steps import format_prediction
    from restore.cli.foreign_weights import import_file
    from restore.core.weights.files import rebuild
    from restore.core.weights.trials import Request

    model_type: Any = None
    if task is not None:
        entry = registry.entry("tasks", task)
        if not needs_training(entry):
            raise UsageError(f"--task {task}: {entry.full_name} cannot import checkpoints of any other converter")
        model_type = entry.load().settings_type.model_fields["model"].annotation
    model = read_model_settings(given or (), model_type, task or "")
    report = import_file(
        file,
        output or default_output(file),
        task=task,
        request=Request(model, partial, key, converter),
        overwrite=overwrite,
    )
    entry = registry.entry("tasks", report.task)
    rebuilt = rebuild(entry.load(), report.model, source=str(report.output))
    typer.echo("\n".join(format_report(report, format_prediction(entry, tuple(rebuilt.inputs)))))


def default_output(file: Path) -> Path:
    """Return the name of the weights file that a checkpoint becomes, in the working directory."""
    name = file.name.removesuffix(".tar").rpartition(".")[0] or file.name
    output = Path(f"{name}.safetensors")
    return Path(f"{name}-imported.safetensors") if output.resolve() == file.resolve() else output


def read_model_settings(given: Sequence[str], model: Any, task: str) -> dict[str, Any]:
    """Return the model settings of ``NAME=VALUE`` words as a tree; a value is read as YAML.

    Args:
        given: the words, as ``scale=2`` or ``attention.rate=4``.
        model: the settings class of the model; None: any name is accepted.
        task: name of the task, for errors.

    Raises:
        UsageError: a word has no ``=``, or the model has no such setting.
    """
    from restore.core.settings import leaves, overlay
    from restore.core.yaml_text import InvalidYaml, parse_yaml

    tree: dict[str, Any] = {}
    for word in given:
        name, equals, text = word.partition("=")
        if not equals:
            raise UsageError(f"--set {word}: write it as NAME=VALUE, such as scale=2")
        try:
            value = parse_yaml(text)
        except InvalidYaml:
            raise UsageError(f"--set {word}: cannot read {text!r} as a value") from None
        for part in reversed(_setting_name(word).split(".")):
            value = {part: value}
        tree = overlay(tree, value)
    if model is None:
        return tree
    known = [".".join(path) for path, _ in leaves(model.specialized(tree))]
    for word in given:
        if (name := _setting_name(word)) not in known:
            hint = did_you_mean(name, known) or f"; available: {', '.join(known)}"
            raise UsageError(f"--set {word}: the model of {task} has no setting {name!r}{hint}")
    return tree


def _setting_name(word: str) -> str:
    """Return the name in ``NAME=VALUE`` as it stands in a file."""
    return word.partition("=")[0].removeprefix("model.").replace("-", "_")


def format_report(report: Report, example: str) -> list[str]:
    """Return what was imported, line by line; ``example`` follows ``restore predict W`` in the last one."""
    model = ", ".join(f"{name} {value}" for name, value in report.model.items())
    lines = [
        f"{report.source}: a checkpoint of {report.converter} for {report.task}" + (f" ({model})" if model else ""),
        f"  {count(report.parameters, 'parameter')}, scale {report.scale:g}, sha256 {report.digest}",
    ]
    lines += [f"  {note}" for note in report.notes]
    if report.differences:
        lines.append(f"  loaded {report.loaded} tensors; these do not fit and were skipped or initialized:")
        lines += [f"    {difference}" for difference in report.differences]
    else:
        lines.append(f"  loaded all {report.loaded} tensors; none missing, none unexpected, all shapes equal")
    lines += [f"Wrote {report.output}. Next:"]
    lines.append(f"  restore predict {shlex.quote(str(report.output))} {example}")
    return lines
