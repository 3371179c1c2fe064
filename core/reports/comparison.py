"""A report of several runs, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from restore.core.pages.charts import Chart, Level, Line, draw_chart
from restore.core.pages.embedding import embed_image
from restore.core.reports.curves import list_columns, list_evaluated_columns, metric_points, thin
from restore.core.reports.differences import ABSENT, find_best, label_runs, list_data, list_differing
from restore.core.reports.facts import describe_repetition, format_value, list_facts
from restore.core.reports.report_page import fill, make_page, to_data
from restore.core.reports.samples import BUDGET, ShownImage, cut_rows, newest_sheet
from restore.core.runs.record import RunRecord, Value

Column = tuple[str, str]


def compare_runs(runs: Sequence[RunRecord]) -> str:
    """Return the page of several runs."""
    labels = label_runs(runs)
    columns = list_columns(value for run in runs for value in run.numbers)
    samples, notes = _samples(runs, labels)
    if any(len({value.column for value in run.numbers} & set(columns)) < len(columns) for run in runs):
        notes.append("Not every run was measured by every metric.")
    body = fill(
        "comparison.html",
        runs=runs,
        labels=labels,
        tasks=", ".join(dict.fromkeys(run.task for run in runs)),
        columns=[f"{name} ({convention})" for name, convention in columns],
        results=[*_baselines(runs, columns), *_results(runs, labels, columns)],
        notes=notes,
        differing=[*list_differing(runs), *list_data(runs)],
        curves=Markup("").join(_curves(runs, labels)),
        samples=samples,
        repetitions=[(label, describe_repetition(run)) for label, run in zip(labels, runs, strict=True)],
        facts=_facts(runs),
    )
    data = {"runs": [{**to_data(run), "label": label} for label, run in zip(labels, runs, strict=True)]}
    return make_page(", ".join(labels), body, data)


def _results(runs: Sequence[RunRecord], labels: Sequence[str], columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    known = [{value.column: value for value in run.best} for run in runs]
    best = {column: _find_best(column, known, _find_direction(runs, column)) for column in columns}
    for place, (run, label, table) in enumerate(zip(runs, labels, known, strict=True)):
        yield {
            "name": label,
            "kind": "phase",
            "numbers": [(_show(table.get(column)), place in best[column]) for column in columns],
            "state": run.state,
            "epochs": run.epochs,
            "seconds": f"{run.seconds:.0f}",
            "device": run.about.get("device", ""),
        }


def _find_best(column: Column, known: Sequence[Mapping[Column, Value]], better: str | None) -> set[int]:
    """Return which runs have the best value; none if the values leave out different images."""
    values = [table.get(column) for table in known]
    if len({value.left_out for value in values if value is not None}) > 1:
        return set()
    return find_best([math.nan if value is None else value.value for value in values], better)


def _show(value: Value | None) -> str:
    return format_value(None) if value is None else format_value(value.value) + value.coverage


def _baselines(runs: Sequence[RunRecord], columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    """Yield the baselines that all runs have with equal values: those of other images cannot be compared."""
    for of in dict.fromkeys(value.of for value in runs[0].baselines):
        tables = [{v.column: _show(v) for v in run.baselines if v.of == of} for run in runs]
        if all(table == tables[0] for table in tables):
            numbers = [(tables[0].get(column, ABSENT), False) for column in columns]
            unknown = dict.fromkeys(("state", "epochs", "seconds", "device"), "")
            yield {"name": of, "kind": "baseline", "numbers": numbers, **unknown}


def _find_direction(runs: Sequence[RunRecord], column: Column) -> str | None:
    return next((better for run in runs if (better := run.find_direction(column)) is not None), None)


def _curves(runs: Sequence[RunRecord], labels: Sequence[str]) -> Iterator[Markup]:
    for column in dict.fromkeys(column for run in runs for column in list_evaluated_columns(run)):
        lines = [
            Line(label, thin(points))
            for run, label in zip(runs, labels, strict=True)
            if (points := metric_points(run, column))
        ]
        found = {v.of: v.value for run in runs[::-1] for v in run.baselines if v.column == column}
        same = all(v.value == found[v.of] for run in runs for v in run.baselines if v.column == column)
        levels = [Level(name, value) for name, value in found.items()] if same else []
        names = {label: index for index, label in enumerate(labels)}
        title = f"{column[0]} ({column[1]})"
        yield draw_chart(Chart(title=title, lines=lines, x_label="epoch", levels=levels, names=names))


def _samples(runs: Sequence[RunRecord], labels: Sequence[str]) -> tuple[list[list[ShownImage]], list[str]]:
    """Return for each sample the input, the output of every run and the target, as many as fit; and notes."""
    sheets = [cut_rows(sheet) if (sheet := newest_sheet(run)) is not None else [] for run in runs]
    rows: list[list[ShownImage]] = []
    used = 0
    for number in range(min(map(len, sheets), default=0)):
        cells = [sheet[number] for sheet in sheets]
        if min(map(len, cells)) < 2:
            continue
        row = [ShownImage(embed_image(cells[0][0]), "input")]
        row += [ShownImage(embed_image(each[1]), label) for each, label in zip(cells, labels, strict=True)]
        if len(cells[0]) > 2:
            row.append(ShownImage(embed_image(cells[0][-1]), "target"))
        used += sum(len(image.source) for image in row)
        if used > BUDGET:
            return rows, [f"{len(rows)} samples are shown, so that the page stays small."]
        rows.append(row)
    return rows, []


def _facts(runs: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    tables = [dict(list_facts(run)) for run in runs]
    names = dict.fromkeys(name for table in tables for name in table)
    return [(name, [table.get(name, ABSENT) for table in tables]) for name in names]
