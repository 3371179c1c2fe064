"""``restore evaluate``: measure runs, weights files and methods without weights on the same pictures."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from restore.cli.opening import opened
from restore.cli.screen.bar import Bar, bar
from restore.cli.screen.number_lines import rows_of, table
from restore.cli.screen.warnings_of_families import warnings_told
from restore.cli.subjects import Subject, subject
from restore.core import evaluation
from restore.core.errors import UsageError
from restore.core.evaluation import Evaluation
from restore.core.machine.devices import device_of
from restore.core.measuring import EvaluationProtocol, Number
from restore.core.settings import Settings
from restore.core.task import Pictures, Task


def evaluate(
    asked: Sequence[tuple[str, Settings | None]],
    data: Path | None,
    *,
    protocol: str | None = None,
    device: str = "auto",
    as_json: bool = False,
) -> None:
    """Measure everything that was asked for, each with its options, and print one table or one JSON object.

    Without ``data`` each is measured on what its own runs validate on, which must be the same pictures. Raises
    UsageError when there is no such folder or protocol, or when the pictures are not the same.
    """
    if data is not None and not data.is_dir():
        raise UsageError(f"{data}: {'is a file, not a folder' if data.exists() else 'no such folder'}")
    subjects = [subject(typed) for typed, _ in asked]
    labels = labelled(subjects)
    measured: list[Evaluation] = []
    first: list[str] | None = None
    with warnings_told(), bar() as shown:
        for one, label, (_, options) in zip(subjects, labels, asked, strict=True):
            task, modules = opened(one, options)
            pictures = task.evaluation_data(data)
            names = [pictures.name(index) for index in range(len(pictures))]
            first = first or names
            if names != first:
                raise UsageError(
                    f"{one.typed} would be measured on other pictures than {subjects[0].typed}; give --data"
                )
            chosen = protocol_of(one, task, protocol)
            measured.append(_measured(task, dict(modules), pictures, chosen, device, label, shown))
    tasks = ", ".join(dict.fromkeys(one.entry.full_name for one in subjects))
    if as_json:
        print(json.dumps(as_object(tasks, data, len(first or []), measured), indent=2, allow_nan=False))
    else:
        _print_table(data, len(first or []), [number for each in measured for number in each.numbers])


def labelled(subjects: Sequence[Subject]) -> list[str]:
    """Whose numbers are whose, short: the phase of a run, the name of a method without weights, else what was typed.

    Those that would be the same get the plugin before them, and what was typed if they still are. Raises UsageError
    when the same thing was typed twice.
    """
    twice = [typed for typed, count in Counter(one.typed for one in subjects).items() if count > 1]
    if twice:
        raise UsageError(f"{twice[0]} is named twice")
    short = [_short(one) for one in subjects]
    full = [f"{one.entry.plugin}/{label}" for one, label in zip(subjects, short, strict=True)]
    labels = [long if short.count(label) > 1 else label for label, long in zip(short, full, strict=True)]
    return [one.typed if labels.count(label) > 1 else label for one, label in zip(subjects, labels, strict=True)]


def _short(one: Subject) -> str:
    if one.header is None:
        return one.entry.name
    return one.header.phase or one.typed


def protocol_of(one: Subject, task: Task, name: str | None) -> EvaluationProtocol:
    """The protocol of a name, or a task's first one. Raises UsageError naming those that there are."""
    known = task.protocols()
    if not known:
        raise UsageError(f"{one.typed}: {one.entry.full_name} has no way of being measured")
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        raise UsageError(f"--protocol {name}: {one.entry.full_name} has none of this name; it has {', '.join(known)}")
    return known[name]


def _measured(
    task: Task,
    modules: dict[str, Any],
    pictures: Pictures,
    protocol: EvaluationProtocol,
    device: str,
    label: str,
    shown: Bar,
) -> Evaluation:
    return evaluation.evaluate(
        task,
        modules,
        pictures,
        protocol,
        device=device_of(device),
        of=label,
        progress=lambda done, total: shown.show(label, done, total),
    )


def as_object(tasks: str, data: Path | None, images: int, measured: Sequence[Evaluation]) -> dict[str, Any]:
    """The JSON object; a value that is no number in JSON (infinite PSNR of equal pictures) is null."""
    return {
        "task": tasks,
        "data": None if data is None else str(data),
        "images": images,
        "metrics": [_in_json(asdict(number)) for each in measured for number in each.numbers],
        "per_image": [_in_json(dict(row)) for each in measured for row in each.per_image],
    }


def _in_json(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "value": row["value"] if math.isfinite(row["value"]) else None}


def _print_table(data: Path | None, images: int, numbers: Sequence[Number]) -> None:
    pictures = f"picture{'' if images == 1 else 's'}"
    print(f"{images} validation {pictures}" if data is None else f"{images} {pictures} of {data}")
    headings, *lines = table(rows_of(numbers), "")
    typer.secho(headings, bold=True, color=False if "NO_COLOR" in os.environ else None)
    typer.echo("\n".join(lines))
