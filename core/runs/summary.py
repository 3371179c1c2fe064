"""``summary.json``: the results of a finished run."""

from __future__ import annotations

from collections.abc import Sequence

from restore.core.json_text import dump_json
from restore.core.metrics import MetricResult
from restore.core.runs.folder import RunFolder, environment, write_atomically
from restore.core.settings import RunSettings


def write_summary(
    folder: RunFolder, task: str, settings: RunSettings, device: str, numbers: Sequence[MetricResult], seconds: float
) -> None:
    """Write the metrics of a run, its settings and its duration."""
    summary = {
        "task": task,
        "seconds": round(seconds, 1),
        "device": device,
        "precision": settings.precision,
        "weights": str(folder.best),
        "metrics": list(numbers),
        "versions": environment(device),
    }
    write_atomically(folder.summary, dump_json(summary).encode())
