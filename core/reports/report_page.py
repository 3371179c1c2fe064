"""The shell of every report: its styles, scripts and templates, and the numbers of runs as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from restore.core.pages.page import Page, fill_template, read_static
from restore.core.reports.facts import describe_repetition, list_changed
from restore.core.runs.record import RunRecord

PACKAGE = "restore.core.reports"
"""Package whose folder ``static`` has the templates and the styles."""
LINES = 2000
"""Most lines of the log of a run that a page holds as JSON."""


def fill(template: str, **values: Any) -> Markup:
    """Return a template of ``static/`` with its values; it may use the macros of ``parts.html``."""
    return fill_template(read_static("parts.html", PACKAGE) + read_static(template, PACKAGE), **values)


def make_page(title: str, body: Markup, data: Mapping[str, Any]) -> str:
    """Return a page with the styles and scripts of reports."""
    styles = (read_static("page.css"), read_static("chart.css"), read_static("report.css", PACKAGE))
    scripts = (read_static("slider.js"), read_static("chart.js"))
    return Page(title=title, body=body, styles=styles, scripts=scripts, data=data).html()


def to_data(run: RunRecord) -> dict[str, Any]:
    """Return the numbers of a run for programs; of a long log an even choice of the lines, and their count."""
    every = -(-len(run.training) // LINES) or 1
    kept = run.training[::-1][::every][::-1]
    return {
        "run": run.name,
        "task": run.task,
        "state": run.state,
        "seconds": run.seconds,
        "metrics": run.numbers,
        "evaluations": run.evaluations,
        "training": [{name: value for name, value in line.items() if name != "kind"} for line in kept],
        "training_lines": len(run.training),
        "settings": run.settings,
        "changed": list_changed(run),
        "about": run.about,
        "warnings": run.warnings,
        "repeat": describe_repetition(run),
    }
