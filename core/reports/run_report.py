"""``report.html`` of a run: one page with its results, curves, samples, settings, and how to repeat it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from restore.core.metrics import describe_coverage
from restore.core.pages.charts import draw_chart
from restore.core.reports.comparison import compare_runs
from restore.core.reports.curves import Curves, list_curves, list_evaluated_columns, to_number
from restore.core.reports.facts import (
    describe_repetition,
    format_value,
    list_changed,
    list_facts,
    show_setting,
    tabulate_results,
)
from restore.core.reports.report_page import fill, make_page, to_data
from restore.core.reports.samples import collect_samples
from restore.core.runs.folder import RunFolder, write_atomically
from restore.core.runs.record import RunRecord, read_run

EVALUATIONS = 500
"""Most rows of the table of evaluations."""


def write_report(run: Path) -> Path:
    """Write ``report.html`` into a run folder and return its path. The same run gives the same bytes."""
    path = RunFolder(run).report
    write_atomically(path, render_report([read_run(run)]).encode())
    return path


def render_report(runs: list[RunRecord]) -> str:
    """Return the page of one run, or of several side by side."""
    return render_run(runs[0]) if len(runs) == 1 else compare_runs(runs)


def render_run(run: RunRecord) -> str:
    """Return the page of one run."""
    body = fill(
        "run.html",
        run=run,
        results=tabulate_results(run),
        images=_describe_images(run),
        warnings=run.warnings,
        samples=collect_samples(run),
        curves=[{"heading": group.heading, "drawn": _draw(group)} for group in list_curves(run)],
        repetition=describe_repetition(run),
        changed=[
            {**each, "value": show_setting(each["value"]), "default": show_setting(each["default"])}
            for each in list_changed(run)
        ],
        config=yaml.safe_dump(dict(run.settings), sort_keys=False, allow_unicode=True),
        facts=list_facts(run),
        table=_table(run),
    )
    return make_page(run.name, body, to_data(run))


def _draw(group: Curves) -> Markup:
    return Markup("").join(map(draw_chart, group.charts))


def _describe_images(run: RunRecord) -> str:
    count = run.starts[-1]["validation_images"] if run.starts else None
    return "the validation images" if count is None else f"{count} validation image{'' if count == 1 else 's'}"


def _table(run: RunRecord) -> dict[str, Any]:
    """Return the evaluations, the last ones of very many."""
    columns = list_evaluated_columns(run)
    rows = []
    for line in run.evaluations[-EVALUATIONS:]:
        known = {
            (metric["name"], metric["convention"]): format_value(to_number(metric["value"]))
            + describe_coverage(metric.get("images"), metric.get("left_out", 0))
            for metric in line["metrics"]
        }
        numbers = [known.get(column, format_value(None)) for column in columns]
        note = "best so far" if line["best"] else ""
        rows.append({"epoch": line["epoch"] + 1, "phase": line["phase"], "numbers": numbers, "note": note})
    return {"columns": [f"{name} ({convention})" for name, convention in columns], "rows": rows}
