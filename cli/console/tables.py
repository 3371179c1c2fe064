"""Metrics as lines of text; a value is never printed without its convention. Imports no torch."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from restore.core.metrics import MetricResult

Column = tuple[str, str]
"""Metric and convention."""


class Row(NamedTuple):
    """A value of a table."""

    owner: str
    """A model or a phase."""
    name: str
    """The metric."""
    convention: str
    value: float
    coverage: str = ""
    """What follows the value if it is not that of all images."""

    @property
    def column(self) -> Column:
        """Metric and convention."""
        return self.name, self.convention

    @property
    def text(self) -> str:
        """The value as text."""
        return f"{self.value:.4f}{self.coverage}"


def to_rows(numbers: Iterable[MetricResult]) -> list[Row]:
    """Return metrics of the engine as rows."""
    return [Row(each.of, each.name, each.convention, each.value, each.coverage) for each in numbers]


def list_columns(rows: Sequence[Row]) -> list[Column]:
    """Return the metrics in rows, in order of first appearance."""
    return list(dict.fromkeys(row.column for row in rows))


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
    texts: dict[str, dict[Column, str]] = {}
    for row in rows:
        texts.setdefault(row.owner, {})[row.column] = row.text
    return [
        (owner, "  ".join(found.get(c, "-").rjust(w) for c, w in zip(columns, widths, strict=True)))
        for owner, found in texts.items()
    ]


def format_table(rows: Sequence[Row], label: str) -> list[str]:
    """Return a table with one line for each owner, or one for each metric if the terminal is too narrow for that.

    Output to a file or a pipe may be 110 characters wide, or as many as ``COLUMNS`` says. A metric without any value
    (NaN for all owners) is left out if there are others.

    Args:
        rows: the metrics.
        label: heading of the first column.
    """
    measured = {row.column for row in rows if not math.isnan(row.value)}
    rows = [row for row in rows if row.column in measured] or rows
    columns = list_columns(rows)
    widths = [max(len(format_heading(c)), *(len(row.text) for row in rows if row.column == c)) for c in columns]
    headings = "  ".join(format_heading(c).rjust(w) for c, w in zip(columns, widths, strict=True))
    by_owner = _align([(label, headings), *format_rows(rows, columns, widths)])
    if max(map(len, by_owner)) <= shutil.get_terminal_size((110, 24)).columns:
        return by_owner
    transposed = [Row(format_heading(row.column), row.owner, "", row.value, row.coverage) for row in rows]
    owners = list_columns(transposed)
    width = max(len(row.text) for row in rows)
    titles = "  ".join(owner.rjust(width) for owner, _ in owners)
    widths = [max(width, len(owner)) for owner, _ in owners]
    return _align([(label, titles), *format_rows(transposed, owners, widths)])


def _align(lines: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(label) for label, _ in lines)
    return [f"{label.ljust(width)}  {line}" for label, line in lines]


def format_sentence(rows: Sequence[Row]) -> str:
    """Return all metrics of one owner as one line."""
    return ", ".join(f"{format_heading(row.column)} {row.text}" for row in rows)
