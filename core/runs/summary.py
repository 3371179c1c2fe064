"""``summary.json``: what a finished run came to, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence

from restore.core.json_text import dump_json
from restore.core.metrics import MetricResult
from restore.core.runs.folder import RunFolder, environment, write_atomically
from restore.core.settings import RunSettings


def write_summary(
    folder: RunFolder, task: str, settings: RunSettings, device: str, numbers: Sequence[MetricResult], seconds: float
) -> None:
    """Write the measured numbers of a run besides what it took to get them."""
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
