"""Metrics as lines of text; a value is never printed without its convention. Imports no torch."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restore.core.metrics import MetricResult

Row = tuple[str, str, str, float]
"""Owner (a model or a phase), metric, convention, value."""
Column = tuple[str, str]
"""Metric and convention."""


def to_rows(numbers: Iterable[MetricResult]) -> list[Row]:
    """Return metrics of the engine as rows."""
    return [(number.of, number.name, number.convention, number.value) for number in numbers]


def list_columns(rows: Sequence[Row]) -> list[Column]:
    """Return the metrics in rows, in order of first appearance."""
    return list(dict.fromkeys(row[1:3] for row in rows))


def format_heading(column: Column) -> str:
    """Return ``psnr (Y, border 4)``."""
    return f"{column[0]} ({column[1]})"


def format_headings(columns: Sequence[Column]) -> str:
    """Return all headings as one line."""
    return "  ".join(map(format_heading, columns))


def format_rows(
    rows: Sequence[Row], columns: Sequence[Column], widths: Sequence[int] | None = None
) -> list[tuple[str, str]]:
    """Return each owner with its values, right-aligned under their headings."""
    widths = widths or [len(format_heading(column)) for column in columns]
    values: dict[str, dict[Column, float]] = {}
    for owner, name, convention, value in rows:
        values.setdefault(owner, {})[name, convention] = value
    return [
        (
            owner,
            "  ".join((f"{row[c]:.4f}" if c in row else "-").rjust(w) for c, w in zip(columns, widths, strict=True)),
        )
        for owner, row in values.items()
    ]


def format_table(rows: Sequence[Row], label: str) -> list[str]:
    """Return a table with one line for each owner, or one for each metric if the terminal is too narrow for that.

    Output to a file or a pipe may be 110 characters wide, or as many as ``COLUMNS`` says. A metric without any value
    (NaN for all owners) is left out if there are others.

    Args:
        rows: the metrics.
        label: heading of the first column.
    """
    measured = {row[1:3] for row in rows if not math.isnan(row[3])}
    rows = [row for row in rows if row[1:3] in measured] or rows
    columns = list_columns(rows)
    by_owner = _align([(label, format_headings(columns)), *format_rows(rows, columns)])
    if max(map(len, by_owner)) <= shutil.get_terminal_size((110, 24)).columns:
        return by_owner
    transposed = [(format_heading((name, convention)), owner, "", value) for owner, name, convention, value in rows]
    owners = list_columns(transposed)
    width = max(len(f"{value:.4f}") for *_, value in rows)
    titles = "  ".join(owner.rjust(width) for owner, _ in owners)
    widths = [max(width, len(owner)) for owner, _ in owners]
    return _align([(label, titles), *format_rows(transposed, owners, widths)])


def _align(lines: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(label) for label, _ in lines)
    return [f"{label.ljust(width)}  {line}" for label, line in lines]


def format_sentence(rows: Sequence[Row]) -> str:
    """Return all metrics of one owner as one line."""
    return ", ".join(f"{format_heading((name, convention))} {value:.4f}" for _, name, convention, value in rows)
