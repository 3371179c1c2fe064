"""``log.csv``: one row for each evaluation, for spreadsheets; always generated from ``metrics.jsonl``."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from restore.core.runs.folder import write_atomically


def write_log_table(log: Path, table: Path) -> None:
    """Write the evaluations of a log as a table.

    Columns: epoch and step (from 1), phase, the training numbers of the last log line before the evaluation (losses,
    learning rates), and the validation metrics: ``val_<name>``, or ``val_<name> (<convention>)`` if several metrics
    have the same name.
    """
    rows: list[dict[str, Any]] = []
    training: dict[str, Any] = {}
    for number, text in enumerate(log.read_bytes().splitlines(), start=1):
        try:
            line = json.loads(text)
            if line["kind"] == "train":
                training = {key: value for key, value in line.items() if key not in ("kind", "seconds")}
            else:
                rows.append(_row(line, training))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            _warn_of_damage(log, number)
    # phases log different numbers, so the table has every column of any row, in order of appearance
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table_text = io.StringIO()
    writer = csv.DictWriter(table_text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(table, table_text.getvalue().encode("utf-8", "surrogateescape"))


def _row(line: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of one evaluation."""
    place = {"epoch": line["epoch"] + 1, "step": line["step"], "phase": line["phase"]}
    numbers = {key: value for key, value in training.items() if key not in place}
    names = [metric["name"] for metric in line["metrics"]]
    metrics = {
        f"val_{metric['name']}" + (f" ({metric['convention']})" if names.count(metric["name"]) > 1 else ""): metric[
            "value"
        ]
        for metric in line["metrics"]
    }
    return {**place, **numbers, **metrics}


@cache
def _warn_of_damage(log: Path, number: int) -> None:
    """Warn of a damaged line; once, although the table is written after each evaluation."""
    logging.getLogger(__name__).warning("%s: line %d is damaged and left out of log.csv", log, number)
