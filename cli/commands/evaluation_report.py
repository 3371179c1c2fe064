"""What an evaluation says besides its table: where the numbers come from, as JSON, as a CSV file and as a page."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restore.cli.commands.evaluation_statistics import explain_unequal, list_differences, list_intervals
from restore.cli.console.tables import format_heading
from restore.cli.model_ref import ModelRef
from restore.core.atomic import atomic_write, refuse_overwrite, writable_folder
from restore.core.errors import RestoreError
from restore.core.hashing import hash_file

if TYPE_CHECKING:
    from restore.core.reduction import Evaluation


@dataclass(frozen=True)
class MeasuredModel:
    """A model that was measured."""

    model: ModelRef
    label: str
    """What it is called in the numbers."""
    scale: float
    """Size of its output relative to its input."""


@dataclass(frozen=True)
class MeasuredSet:
    """What was measured on the images of one folder."""

    data: Path | None
    """The folder; None: the built-in sample."""
    images: int
    """How many images were measured."""
    failed: int
    """How many could not be read or measured."""
    measured: Sequence[Evaluation]
    """The metrics of each model."""
    models: Sequence[MeasuredModel]
    protocol: str
    """Names of the protocols: one, unless the models have different defaults."""
    device: str
    """Where it was computed."""
    command: str = ""
    """The command line that measures the same again."""
    drawn: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    """The worst images of the first model, with the results of each model, as addresses for a page; if asked for."""

    @property
    def notes(self) -> list[str]:
        """What a reader of the numbers must know, each once."""
        of_models = (note for each in self.measured for note in each.notes)
        return list(dict.fromkeys([*of_models, *explain_unequal(self.measured)]))


def to_json(sets: Sequence[MeasuredSet]) -> str:
    """Return the object that ``--json`` prints: that of the only folder, or ``{"sets": […]}`` with one for each."""
    from restore.core.json_text import dump_json

    objects = [to_json_object(each) for each in sets]
    return dump_json(objects[0] if len(objects) == 1 else {"sets": objects})


def to_json_object(measured: MeasuredSet) -> dict[str, Any]:
    """Return the numbers of one folder, how certain they are and where they come from."""
    from restore.core.bootstrap import METHOD

    evaluations = measured.measured
    return {
        "task": ", ".join(dict.fromkeys(each.model.entry.full_name for each in measured.models)),
        "data": None if measured.data is None else str(measured.data),
        "images": measured.images,
        "metrics": [entry for each in evaluations for entry in _to_entries(each)],
        "per_image": [{**row, **_explain_null(row["value"])} for each in evaluations for row in each.per_image],
        "certainty": METHOD,
        "intervals": list_intervals(evaluations),
        "differences": list_differences(evaluations),
        "notes": measured.notes,
        "provenance": describe_provenance(measured),
    }


def format_intervals(measured: Sequence[Evaluation], data: Path | None) -> list[str]:
    """Return the intervals and the differences as lines of text, under a line that names the folder and the method."""
    from restore.core.bootstrap import METHOD

    lines = []
    for row in list_intervals(measured):
        heading = format_heading((row["name"], row["convention"]))
        lines.append(f"{heading} of {row['of']}: {row['low']:.4f} to {row['high']:.4f} ({row['images']} images)")
    for row in list_differences(measured):
        heading = format_heading((row["name"], row["convention"]))
        lines.append(
            f"{heading} of {row['of']} minus {row['minus']}: {row['value']:+.4f}, {row['low']:+.4f} to "
            f"{row['high']:+.4f}, p = {row['p']:.2g} ({row['images']} images)"
        )
    where = "the built-in sample" if data is None else str(data)
    if not lines:
        return [f"{where}: no interval, which takes two images with finite values"]
    return [f"{where}: {METHOD}", *lines]


def _to_entries(measured: Evaluation) -> list[dict[str, Any]]:
    """Return metrics with the number of images that count; a value that JSON lacks has its reason beside its null."""
    entries = []
    for number in measured.numbers:
        too_small = math.isnan(number.value) and number.left_out == number.images
        entries.append(asdict(number) | ({"state": "too small"} if too_small else _explain_null(number.value)))
    return entries


def _explain_null(value: float) -> dict[str, str]:
    """Return what a value is that becomes null: JSON has neither infinity nor NaN."""
    return {} if math.isfinite(value) else {"state": "infinite" if math.isinf(value) else "nan"}


def describe_provenance(measured: MeasuredSet) -> dict[str, Any]:
    """Return where numbers come from: protocol, weights, data, versions and device."""
    from restore.core.runs.folder import environment

    return {
        "command": measured.command,
        "protocol": measured.protocol,
        "data_sha256": None if measured.data is None else hash_folder(measured.data),
        "models": [
            {
                "of": each.label,
                "task": each.model.entry.full_name,
                "phase": each.model.header.phase if each.model.header else None,
                "scale": int(each.scale) if each.scale == int(each.scale) else each.scale,
                "weights": None if each.model.weights is None else str(each.model.weights),
                "weights_sha256": None if each.model.weights is None else hash_file(each.model.weights),
            }
            for each in measured.models
        ],
        "versions": environment(measured.device),
    }


def hash_folder(folder: Path) -> str:
    """Return the SHA-256 of the relative paths and the contents of all files below a folder, in the order of paths."""
    digest = hashlib.sha256()
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name in sorted(files):
        digest.update(f"{name}\0{hash_file(files[name])}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


COLUMNS = (
    *("data", "image", "of", "metric", "convention", "value", "protocol", "task", "scale"),
    *("weights_sha256", "data_sha256", "restorekit", "git", "torch", "device"),
)
"""Columns of the CSV file; every row can be understood without the others."""


def write_page(path: Path, sets: Sequence[MeasuredSet]) -> None:
    """Write the page of an evaluation."""
    from restore.core.reports.evaluation_page import EvaluatedSet, render_evaluation
    from restore.core.reports.worst_images import rank_images

    evaluated = [
        EvaluatedSet(
            title="the built-in sample" if each.data is None else str(each.data),
            numbers=json.loads(to_json([each])),
            ranked=rank_images(each.measured[0]),
            drawn=each.drawn,
        )
        for each in sets
    ]
    with atomic_write(path) as temporary:
        temporary.write_text(render_evaluation(evaluated), encoding="utf-8")


def check_new_file(path: Path) -> None:
    """Raise, before anything is measured, if a file to write exists already or cannot be written."""
    refuse_overwrite(path, overwrite=False)
    writable_folder(path.parent)


def raise_failures(sets: Sequence[MeasuredSet]) -> None:
    """Raise RestoreError if images of some sets could not be measured."""
    failed = sum(each.failed for each in sets)
    if failed:
        total = sum(each.images + each.failed for each in sets)
        raise RestoreError(f"{failed} of {total} images could not be measured; see above")


def write_csv(path: Path, sets: Sequence[MeasuredSet]) -> None:
    """Write the value of each image, metric and model as a row of a CSV file with `COLUMNS`.

    Values have all their digits; infinity is ``inf`` and what could not be measured ``nan``.
    """
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for each in sets:
            writer.writerows(_list_rows(each))


def _list_rows(measured: MeasuredSet) -> Iterator[list[Any]]:
    provenance = describe_provenance(measured)
    models = {model["of"]: model for model in provenance["models"]}
    versions = provenance["versions"]
    for row in (row for each in measured.measured for row in each.per_image):
        model = models[row["of"]]
        yield [
            *("built-in sample" if measured.data is None else measured.data, row["image"], row["of"], row["name"]),
            *(row["convention"], repr(float(row["value"])), provenance["protocol"], model["task"]),
            *(f"{model['scale']:g}", model["weights_sha256"], provenance["data_sha256"]),
            *(versions[name] for name in ("restorekit", "git", "torch", "device")),
        ]
