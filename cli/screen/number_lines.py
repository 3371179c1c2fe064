"""Measured numbers as lines of text; a number never stands without its convention. Imports no torch."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restore.core.measuring import Number

Row = tuple[str, str, str, float]
"""Whose, metric, convention, value."""
Column = tuple[str, str]
"""Metric and convention."""


def rows_of(numbers: Iterable[Number]) -> list[Row]:
    """Numbers of the engine as rows."""
    return [(number.of, number.name, number.convention, number.value) for number in numbers]


def columns_of(rows: Sequence[Row]) -> list[Column]:
    """The metrics among some rows, in order of first appearance."""
    return list(dict.fromkeys(row[1:3] for row in rows))


def heading(column: Column) -> str:
    """``psnr (Y, border 4)``."""
    return f"{column[0]} ({column[1]})"


def headings(columns: Sequence[Column]) -> str:
    """All headings on one line."""
    return "  ".join(map(heading, columns))


def lines_of(
    rows: Sequence[Row], columns: Sequence[Column], widths: Sequence[int] | None = None
) -> list[tuple[str, str]]:
    """Each owner with its values under their headings, right-aligned."""
    widths = widths or [len(heading(column)) for column in columns]
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


def table(rows: Sequence[Row], label: str) -> list[str]:
    """A line of headings, and one line for each owner; one for each metric where the terminal is too narrow for that.

    What is written to a file or a pipe may be 110 characters wide, or as many as ``COLUMNS`` says. A metric of which
    nobody has a number, as that of a kind of picture that was not among them, is left out if there are others.
    """
    measured = {row[1:3] for row in rows if not math.isnan(row[3])}
    rows = [row for row in rows if row[1:3] in measured] or rows
    columns = columns_of(rows)
    by_owner = _aligned([(label, headings(columns)), *lines_of(rows, columns)])
    if max(map(len, by_owner)) <= shutil.get_terminal_size((110, 24)).columns:
        return by_owner
    turned = [(heading((name, convention)), owner, "", value) for owner, name, convention, value in rows]
    owners = columns_of(turned)
    width = max(len(f"{value:.4f}") for *_, value in rows)
    titles = "  ".join(owner.rjust(width) for owner, _ in owners)
    return _aligned([(label, titles), *lines_of(turned, owners, [max(width, len(owner)) for owner, _ in owners])])


def _aligned(lines: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(label) for label, _ in lines)
    return [f"{label.ljust(width)}  {line}" for label, line in lines]


def sentence(rows: Sequence[Row]) -> str:
    """All numbers of one owner on one line."""
    return ", ".join(f"{heading((name, convention))} {value:.4f}" for _, name, convention, value in rows)
