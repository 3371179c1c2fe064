"""``restore evaluate``: measure runs, weights files and methods without weights on the same pictures."""

from __future__ import annotations

import json
import math
import os
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
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
from restore.core.records.folder import read_config, read_task
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

    Without ``data`` each is measured on the embedded sample of its family, which must be the same pictures. All of it
    is opened before the first picture is measured. Raises UsageError when there is no such folder or protocol, when a
    run was trained on other data than the sample and none is given, or when the pictures are not the same.
    """
    if data is not None and not data.is_dir():
        raise UsageError(f"{data}: {'is a file, not a folder' if data.exists() else 'no such folder'}")
    where = device_of(device)
    subjects = [subject(typed) for typed, _ in asked]
    labels = labelled(subjects)
    if data is None:
        for one in subjects:
            _refuse_other_data(one)
    with warnings_told(), bar() as shown:
        works = [_opened(one, options, data, protocol) for one, (_, options) in zip(subjects, asked, strict=True)]
        names = _names_of_all(works, data)
        # What is measured is given up: networks stay where they were used, and few fit on one device.
        measured = [_measured(works.pop(0), where, label, shown) for label in labels]
    tasks = ", ".join(dict.fromkeys(one.entry.full_name for one in subjects))
    if as_json:
        print(json.dumps(as_object(tasks, data, len(names), measured), indent=2, allow_nan=False))
    else:
        _print_table(data, len(names), [number for each in measured for number in each.numbers])


@dataclass(frozen=True)
class _Work:
    """One thing that is measured, and on what."""

    typed: str
    task: Task
    modules: dict[str, Any]
    pictures: Pictures
    protocol: EvaluationProtocol


def _refuse_other_data(one: Subject) -> None:
    """Raise UsageError for a run that validated on pictures of its own: its numbers are not those of the sample."""
    path = Path(one.typed)
    run = path if path.is_dir() else path.parent
    if one.header is None or not (run / "config.yaml").is_file():
        return
    try:
        read_task(run)
    except UsageError:  # somebody's settings file, which happens to lie beside a weights file
        return
    config = read_config(run)
    data = config.get("val_data") or config.get("data")
    if data:
        trained = f"trained on {config['data']}" if config.get("data") else f"validated on {data}"
        other = shlex.quote(str(config["val_data"])) if config.get("val_data") else "FOLDER"
        raise UsageError(f"{one.typed} was {trained}; say what to measure on: --data {other}")


def _opened(one: Subject, options: Settings | None, data: Path | None, protocol: str | None) -> _Work:
    task, modules = opened(one, options)
    pictures = task.evaluation_data(data)  # which may decide what the protocols are of
    return _Work(one.typed, task, dict(modules), pictures, protocol_of(one, task, protocol))


def _names_of_all(works: Sequence[_Work], data: Path | None) -> list[str]:
    """What the pictures are called. Raises UsageError when they are not the same for all."""
    first, *others = ([work.pictures.name(index) for index in range(len(work.pictures))] for work in works)
    for work, names in zip(works[1:], others, strict=True):
        if names != first:
            advice = "give --data" if data is None else "measure each on its own"
            of = "" if data is None else f" of {data}"
            raise UsageError(f"{work.typed} would be measured on other pictures{of} than {works[0].typed}; {advice}")
    return first


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


def _measured(work: _Work, where: torch.device, label: str, shown: Bar) -> Evaluation:
    return evaluation.evaluate(
        work.task,
        work.modules,
        work.pictures,
        work.protocol,
        device=where,
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
    print(f"{images} {pictures} of {'the embedded sample' if data is None else data}")
    headings, *lines = table(rows_of(numbers), "")
    typer.secho(headings, bold=True, color=False if "NO_COLOR" in os.environ else None)
    typer.echo("\n".join(lines))
