"""Tables of metrics, to be compared with opinion."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from restore.core.atomic import reason
from restore.core.errors import DataError, UsageError
from restore.plugins.common.images.pairing import strip_markers
from restore.plugins.opinions.sessions import StudyInfo
from restore.plugins.opinions.statistics import Presentation
from restore.plugins.opinions.study_scores import MetricTable

COLUMNS = ("image", "of", "metric", "value")


def read_metric_table(path: Path) -> dict[str, dict[Presentation, float]]:
    """Read the value of each metric, image and method, as ``restore evaluate --csv`` writes them.

    A metric is named with its convention if the table has that column. Images are named without folder and suffix.

    Raises:
        UsageError: the file does not exist or lacks a column.
        DataError: a value is no number, a row is incomplete, or one value is there twice.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; evaluate --csv writes one")
    found: dict[str, dict[Presentation, float]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise UsageError(
                    f"{path}: has no column {', '.join(missing)}; evaluate --csv writes {', '.join(COLUMNS)} and others"
                )
            for row in rows:
                _add_row(found, row, f"{path}, line {rows.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: is no table of comma-separated values: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    if not found:
        raise DataError(f"{path}: has no row")
    return found


def match_study(path: Path, table: MetricTable, study: StudyInfo) -> dict[str, dict[Presentation, float]]:
    """Return the values of what a study shows, under its names.

    Images may differ by what scripts add, as ``baby_x4``, and a method by the folder that it lies in: the results of
    ``runs/first`` are those of the method ``first``.

    Args:
        path: the file, for the error.
        table: what `read_metric_table` returned.
        study: the study.

    Raises:
        UsageError: the table and the study have nothing in common.
    """
    found: dict[str, dict[Presentation, float]] = {}
    methods = dict.fromkeys(each.method for values in table.values() for each in values)
    called = {method: _find_method(method, list(methods)) for method in study.scored}
    for name, values in table.items():
        loose = Counter(Presentation(strip_markers(each.image), each.method) for each in values)
        unique = {Presentation(strip_markers(each.image), each.method): value for each, value in values.items()}
        found[name] = {}
        for shown in (Presentation(image, method) for image in study.images for method in study.scored):
            key = Presentation(strip_markers(shown.image), called[shown.method])
            named = Presentation(shown.image, called[shown.method])
            value = values.get(named, unique[key] if loose[key] == 1 else None)
            if value is not None:
                found[name][shown] = value
    if any(found.values()):
        return found
    images = dict.fromkeys(each.image for values in table.values() for each in values)
    what, ours, theirs = (
        ("image", study.images, images) if set(called.values()) & set(methods) else ("method", study.scored, methods)
    )
    raise UsageError(f"{path}: has no {what} of the study; the study has {_some(ours)}, the table {_some([*theirs])}")


def _find_method(name: str, methods: Sequence[str]) -> str:
    """Return what a table calls a method of the study: the same, or the only path that ends in it."""
    paths = {method: PurePosixPath(method.replace("\\", "/")) for method in methods}
    ending = [method for method, path in paths.items() if name in (path.name, path.stem)]
    return ending[0] if name not in methods and len(ending) == 1 else name


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")


def _add_row(found: dict[str, dict[Presentation, float]], row: dict[str, str | None], where: str) -> None:
    if any(row.get(name) is None for name in COLUMNS):
        raise DataError(f"{where}: has fewer columns than the first line")
    try:
        value = float(str(row["value"]))
    except ValueError as error:
        raise DataError(f"{where}: the value {row['value']!r} is no number") from error
    convention = row.get("convention")
    name = f"{row['metric']} ({convention})" if convention else str(row["metric"])
    key = Presentation(PurePosixPath(str(row["image"]).replace("\\", "/")).stem, str(row["of"]))
    values = found.setdefault(name, {})
    if key in values:
        raise DataError(f"{where}: a second value of {name} for {key.image} of {key.method}; give one table of one set")
    values[key] = value
