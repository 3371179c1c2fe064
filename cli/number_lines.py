"""Measured numbers as lines of text; a number never stands without its convention. Imports no torch."""

from __future__ import annotations

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


def lines_of(rows: Sequence[Row], columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Each owner with its values under their headings, right-aligned."""
    values: dict[str, dict[Column, float]] = {}
    for owner, name, convention, value in rows:
        values.setdefault(owner, {})[name, convention] = value
    return [
        (owner, "  ".join((f"{row[c]:.4f}" if c in row else "-").rjust(len(heading(c))) for c in columns))
        for owner, row in values.items()
    ]


def table(rows: Sequence[Row], label: str) -> list[str]:
    """A line of headings, and one line for each owner."""
    columns = columns_of(rows)
    lines = lines_of(rows, columns)
    width = max(len(label), *(len(owner) for owner, _ in lines))
    return [f"{label.ljust(width)}  {headings(columns)}", *(f"{owner.ljust(width)}  {line}" for owner, line in lines)]


def sentence(rows: Sequence[Row]) -> str:
    """All numbers of one owner on one line."""
    return ", ".join(f"{heading((name, convention))} {value:.4f}" for _, name, convention, value in rows)
