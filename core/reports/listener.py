"""Keep ``progress.png`` up to date while a run trains, and write ``report.html`` when it ends."""

from __future__ import annotations

import time
from pathlib import Path

from restore.core import events

SHARE = 0.02
"""Largest share of a run's time that its images may take; of short epochs some have none."""


class ReportWriter:
    """A listener of one run. What it imports is imported when it first writes.

    Args:
        samples: whether the run writes sheets of samples after its evaluations.
    """

    label = "The report of the run"

    def __init__(self, samples: bool) -> None:
        self._writes_at = events.SamplesWritten if samples else events.Evaluated
        self._folder: Path | None = None
        self._spent = 0.0
        self._began = time.monotonic()

    def __call__(self, event: events.Event) -> None:
        """Handle one event."""
        match event:
            case events.RunStarted():
                self._folder, self._began = event.folder, time.monotonic()
            case events.RunFinished():
                self._write_all()
            case events.RunInterrupted() if event.saved and event.run_step:
                self._write_all()
            case events.RunFailed() if event.run_step:
                self._write_all()
            case events.SamplesWritten() | events.Evaluated() if (
                isinstance(event, self._writes_at) and self._has_time()
            ):
                self._write_progress()

    def _has_time(self) -> bool:
        return self._spent <= SHARE * (time.monotonic() - self._began)

    def _write_progress(self) -> None:
        from restore.core.reports.progress_image import write_progress

        if self._folder is not None:
            began = time.monotonic()
            write_progress(self._folder)
            self._spent += time.monotonic() - began

    def _write_all(self) -> None:
        from restore.core.reports.run_report import write_report

        self._write_progress()
        if self._folder is not None:
            write_report(self._folder)
