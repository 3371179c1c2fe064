"""In what runs differ: settings, data and numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from restore.core.reports.facts import flatten, show_setting
from restore.core.runs.changed_settings import NOT_OF_THE_RESULT
from restore.core.runs.record import RunRecord

ABSENT = "–"
"""What stands for a setting that a run does not have."""


def label_runs(runs: Sequence[RunRecord]) -> list[str]:
    """Return a different name for each run: that of its folder, or its whole path if two have the same."""
    count = Counter(run.name for run in runs)
    return [run.name if count[run.name] == 1 else str(run.path) for run in runs]


def list_differing(runs: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    """Return the settings in which the runs differ, each with its value in every run."""
    trees = [{"task": run.task, **flatten(run.settings)} for run in runs]
    return _differing([{name: show_setting(value) for name, value in tree.items()} for tree in trees])


def list_data(runs: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    """Return hashes of the data and numbers of images in which the runs differ."""
    return _differing([_data(run) for run in runs])


def _data(run: RunRecord) -> dict[str, str]:
    start: Mapping[str, Any] = run.starts[-1] if run.starts else {}
    counts = {name.replace("_", " "): str(start[name]) for name in ("train_images", "validation_images") if start}
    return {**counts, **{f"hash of {name}": str(digest) for name, digest in start.get("data", {}).items()}}


def _differing(tables: Sequence[Mapping[str, str]]) -> list[tuple[str, list[str]]]:
    names = dict.fromkeys(name for table in tables for name in table)
    rows = [(name, [table.get(name, ABSENT) for table in tables]) for name in names if name not in NOT_OF_THE_RESULT]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def find_best(values: Sequence[float], better: str | None) -> set[int]:
    """Return the places of the best values; empty if nobody knows what is better, or all are equal."""
    finite = [value for value in values if math.isfinite(value)]
    if better is None or len(set(finite)) < 2:
        return set()
    best = max(finite) if better == "higher" else min(finite)
    return {place for place, value in enumerate(values) if value == best}
