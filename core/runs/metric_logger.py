"""Record the numbers of a run in ``metrics.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from restore.core.metrics import MetricResult
from restore.core.runs.folder import Log, RunFolder
from restore.core.runs.log_table import write_log_table


class MetricLogger:
    """Writes the numbers of a run, on the main process only."""

    def __init__(self, folder: RunFolder, *, log_position: int | None = None) -> None:
        self.folder = folder
        self.log = Log(folder.log, log_position)

    def log_training(
        self, place: Mapping[str, Any], numbers: Mapping[str, float], seconds: Mapping[str, float]
    ) -> None:
        """Record training numbers; times come last in the line because they differ after a resume.

        Args:
            place: phase, epoch and step.
            numbers: averaged numbers by name.
            seconds: times by name.
        """
        self.log.write({"kind": "train", **place, **numbers, "seconds": dict(seconds)})

    def log_validation(
        self, place: Mapping[str, Any], numbers: Sequence[MetricResult], best: bool, seconds: float
    ) -> None:
        """Record validation metrics with their conventions.

        Args:
            place: phase, epoch and step.
            numbers: the metrics.
            best: whether the weights are the best of the phase so far.
            seconds: duration of the evaluation.
        """
        self.log.write(
            {"kind": "validation", **place, "metrics": numbers, "best": best, "seconds": {"evaluation": seconds}}
        )
        write_log_table(self.folder.log, self.folder.table)

    def close(self) -> None:
        """Close the files."""
        self.log.close()
