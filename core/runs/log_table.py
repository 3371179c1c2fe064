"""``log.csv``: one row for each evaluation, for spreadsheets; always generated from ``metrics.jsonl``."""

from __future__ import annotations

import csv
import io
import json
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
    for line in map(json.loads, log.read_text("utf-8").splitlines()):
        if line["kind"] == "train":
            training = {key: value for key, value in line.items() if key not in ("kind", "seconds")}
        else:
            place = {"epoch": line["epoch"] + 1, "step": line["step"], "phase": line["phase"]}
            numbers = {key: value for key, value in training.items() if key not in place}
            names = [metric["name"] for metric in line["metrics"]]
            metrics = {
                f"val_{metric['name']}"
                + (f" ({metric['convention']})" if names.count(metric["name"]) > 1 else ""): metric["value"]
                for metric in line["metrics"]
            }
            rows.append({**place, **numbers, **metrics})
    # phases log different numbers, so the table has every column of any row, in order of appearance
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(table, text.getvalue().encode())
