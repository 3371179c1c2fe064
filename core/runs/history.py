"""``history.jsonl``: what happened to a run: each start and resume, the warnings, how it ended. Imports no torch."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restore.core import events
from restore.core.json_text import dump_json

NAME = "history.jsonl"
"""File in the run folder; a resumed run appends to it, and nothing is ever removed."""


class History:
    """A listener that writes the history of a run. Warnings before the run has a folder are written with its start."""

    label = "The history of the run"

    def __init__(self) -> None:
        self._path: Path | None = None
        self._about: dict[str, Any] = {}
        self._waiting: list[dict[str, Any]] = []
        self._written: set[str] = set()
        self._step = 0

    def describe(self, about: Mapping[str, Any]) -> None:
        """Add facts to the line that is written when the run starts."""
        self._about |= about

    def __call__(self, event: events.Event) -> None:
        """Handle one event."""
        match event:
            case events.RunStarted():
                self._start(event)
            case events.StepDone():
                self._step = event.run_step
            case events.Evaluated() if event.run_step == 0:
                self._write({"kind": "baseline", "of": event.phase, "metrics": list(event.numbers)})
            case events.Warned():
                self.warn(event.message)
            case events.RunFinished():
                self._write({"kind": "finished", "at": _now(), "step": self._step, "seconds": event.seconds})
            case events.RunInterrupted():
                self._end("interrupted", event, saved=event.saved)
            case events.RunFailed():
                self._end("failed", event, error=event.error)

    def warn(self, message: str) -> None:
        """Record a warning; each message once."""
        if message not in self._written:
            self._written.add(message)
            self._write({"kind": "warning", "step": self._step, "message": message})

    @contextmanager
    def record_log(self) -> Iterator[None]:
        """While the block runs, record the warnings that any module logs."""
        handler = _Recorder(self)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)

    def _start(self, event: events.RunStarted) -> None:
        self._path = event.folder / NAME
        self._step = event.resumed_at or 0
        facts = asdict(event)
        del facts["folder"]
        self._write({"kind": "started", "at": _now(), **facts, **self._about})
        waiting, self._waiting = self._waiting, []
        for line in waiting:
            self._write(line)

    def _end(self, kind: str, event: events.RunInterrupted | events.RunFailed, **more: Any) -> None:
        self._write({"kind": kind, "at": _now(), "step": event.run_step, "seconds": event.seconds, **more})

    def _write(self, line: dict[str, Any]) -> None:
        if self._path is None:
            self._waiting.append(line)
            return
        with self._path.open("ab") as file:
            file.write(dump_json(line, indent=None).encode() + b"\n")


class _Recorder(logging.Handler):
    """Records log records as warnings of a run."""

    def __init__(self, history: History) -> None:
        super().__init__(logging.WARNING)
        self._history = history

    def emit(self, record: logging.LogRecord) -> None:
        """Add what a logger of the run said to its history."""
        self._history.warn(record.getMessage())


def read_history(run: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's history, oldest first; empty if it has none. Damaged lines are left out."""
    return read_json_lines(run / NAME)


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects in a file with one JSON object per line; damaged lines, and a missing file, give none."""
    try:
        texts = path.read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for text in texts:
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and isinstance(line.get("kind"), str):
            found.append(line)
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
