"""Trainings that a server starts: child processes that wait for one another, can be stopped, and are told about."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from restore.cli.exit import INTERRUPTED
from restore.cli.server.changes import Changes
from restore.cli.server.jobs import QueueFull
from restore.core.errors import UsageError

State = Literal["waiting", "running", "stopping", "finished", "interrupted", "failed"]
ENDED: tuple[State, ...] = ("finished", "interrupted", "failed")

LINES = 400
"""Newest lines of the output of a training that are kept."""
LONGEST = 2000
"""Letters of a line that are kept."""
GRACE = 60.0
"""Seconds that trainings have for their last step and checkpoint when the server ends."""
KILL = 10.0
"""Seconds after which one that does not end even without a checkpoint is killed."""
HIDDEN = ("RESTORE_TOKEN",)
"""Variables of the environment that a training does not get."""

COMMAND = (sys.executable, "-m", "restore.cli", "train")
"""What a training is run with."""


@dataclass(frozen=True)
class TrainingLimits:
    """How many trainings a server has at most."""

    at_once: int = 1
    """That run at a time; 0: none can be started."""
    waiting: int = 8
    """That wait."""
    kept: int = 32
    """That ended and are still told about."""


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """A training that a client asks for."""

    task: str
    run: str
    """Identifier of its run."""
    words: Sequence[str]
    """What follows ``restore train``."""
    resumed: bool = False
    settings: Path | None = None
    """File with its settings, which is removed at its end."""


@dataclass
class Training:
    """One training. `Trainings` changes it; others read."""

    plan: TrainingPlan
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "waiting"
    message: str = ""
    """Why it failed, or what was saved when it was interrupted."""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))
    written: int = 0
    """Lines that it wrote so far."""
    process: subprocess.Popen[str] | None = None
    stop_wanted: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ENDED

    def as_json(self, ahead: int = 0) -> dict[str, Any]:
        """Return what a client may know."""
        return {
            "id": self.id,
            "task": self.plan.task,
            "run": self.plan.run,
            "resumed": self.plan.resumed,
            "state": self.state,
            "ahead": ahead,
            "message": self.message,
            "lines": self.written,
        }


class Trainings:
    """Runs a few trainings at a time, in the order of arrival.

    Args:
        changes: is told of each change, and ends the work when it is closed.
        hurry: called when a training wrote a line.
        limits: how many there may be.
    """

    def __init__(self, changes: Changes, hurry: Callable[[], None], limits: TrainingLimits) -> None:
        self._changes, self._hurry, self.limits = changes, hurry, limits
        self._trainings: dict[str, Training] = {}  # in the order of arrival
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"training-{number}", daemon=True)
            for number in range(limits.at_once)
        ]
        for thread in self._threads:
            thread.start()

    # --- asking ------------------------------------------------------------------------------------------------

    def check_room(self) -> None:
        """Raise UsageError if no training can be started here, QueueFull if too many wait."""
        if not self.limits.at_once:
            raise UsageError("this server starts no trainings; it was started with --trainings 0")
        with self._changes.lock:
            waiting = sum(each.state == "waiting" for each in self._trainings.values())
            if self._closing or waiting >= self.limits.waiting:
                raise QueueFull(f"{self.limits.waiting} trainings are waiting already; try again when one has ended")

    def submit(self, plan: TrainingPlan) -> Training:
        """Append a training. Raises what `check_room` raises, and UsageError if its run is trained already."""
        with self._changes.lock:
            self.check_room()
            if any(not each.ended and each.plan.run == plan.run for each in self._trainings.values()):
                raise UsageError(f"{plan.run}: this run is being trained, or waits for it")
            training = Training(plan)
            self._trainings[training.id] = training
            ended = [each for each in self._trainings.values() if each.ended]
            for each in ended[: max(0, len(ended) - self.limits.kept)]:
                del self._trainings[each.id]
            self._changes.note()
            return training

    def find(self, identifier: str) -> Training | None:
        """Return a training that is not forgotten."""
        with self._changes.lock:
            return self._trainings.get(identifier)

    def describe(self, training: Training) -> dict[str, Any]:
        """Return a training as JSON, with the number of those that wait before it."""
        with self._changes.lock:
            waiting = [each for each in self._trainings.values() if each.state == "waiting"]
            return training.as_json(waiting.index(training) if training in waiting else 0)

    def describe_all(self) -> list[dict[str, Any]]:
        """Return all trainings as JSON, the newest first."""
        with self._changes.lock:
            return [self.describe(each) for each in reversed(self._trainings.values())]

    def read_lines(self, training: Training, after: int) -> tuple[list[str], int]:
        """Return the lines of a training after the first so many, as far as they are kept; and how many it wrote."""
        with self._changes.lock:
            fresh = min(max(0, training.written - after), len(training.lines))
            return list(training.lines)[len(training.lines) - fresh :], training.written

    def stop(self, training: Training, *, at_once: bool = False) -> None:
        """Let a training end with a checkpoint after its present step, as Ctrl-C does.

        One that waits is taken out of the queue; one that has ended is forgotten.

        Args:
            training: the training.
            at_once: do not wait for the checkpoint, as a second Ctrl-C; the last one stays.
        """
        with self._changes.lock:
            if training.ended:
                self._trainings.pop(training.id, None)
            elif training.process is None:
                self._end(training, "interrupted", "It had not begun.")
            else:
                # SIGTERM is handled from the first line of the command on, SIGINT may be ignored where it is inherited
                training.process.send_signal(signal.SIGTERM)
                if at_once and training.stop_wanted:
                    training.process.send_signal(signal.SIGINT)
                training.stop_wanted, training.state = True, "stopping"
            self._changes.note()

    def count_running(self) -> int:
        """Return how many processes run."""
        return len(self._running())

    def close(self, grace: float = GRACE) -> None:
        """Interrupt all trainings, wait until they saved, and remove what is left."""
        with self._changes.lock:
            self._closing = True
            for training in self._trainings.values():
                if not training.ended:
                    self.stop(training)
            self._changes.note()
        end = time.monotonic() + grace
        try:
            for thread in self._threads:
                thread.join(max(0.0, end - time.monotonic()))
        finally:  # also after a second Ctrl-C
            for training in self._running():
                self.stop(training, at_once=True)
            for thread in self._threads:
                thread.join(KILL)
            for training in self._running():
                assert training.process is not None
                training.process.kill()
                training.process.wait()

    def _running(self) -> list[Training]:
        with self._changes.lock:
            return [each for each in self._trainings.values() if each.process is not None and not each.ended]

    # --- working -----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (training := self._next()) is not None:
            try:
                state, message = self._run(training)
            except OSError as error:
                state, message = "failed", f"the training cannot be started: {error.strerror}"
            with self._changes.lock:
                self._end(training, state, message)
            self._hurry()

    def _next(self) -> Training | None:
        def first() -> Training | None:
            return next((each for each in self._trainings.values() if each.state == "waiting"), None)

        with self._changes.lock:
            self._changes.wait_for(lambda: self._closing or first() is not None)
            training = None if self._closing else first()
            if training is not None:
                training.state = "running"
                self._changes.note()
            return training

    def _run(self, training: Training) -> tuple[State, str]:
        """Run a training to its end; return its state and what it said about it."""
        with self._changes.lock:
            if training.ended:  # stopped just now
                return training.state, training.message
            process = _start(training.plan.words)
            training.process = process
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._write(training, line.rstrip()[:LONGEST])
        status = process.wait()
        if status == 0:
            return "finished", ""
        stopped = training.stop_wanted or status == INTERRUPTED
        return "interrupted" if stopped else "failed", self._explain(training, status)

    def _write(self, training: Training, line: str) -> None:
        if training.plan.settings is not None:
            line = line.replace(str(training.plan.settings), "the form")
        with self._changes.lock:
            training.lines.append(line)
            training.written += 1
        self._hurry()

    def _explain(self, training: Training, status: int) -> str:
        """Return the one message that a training ended with."""
        lines = list(training.lines)
        for place in range(len(lines) - 1, -1, -1):
            if lines[place].startswith(("Error: ", "Interrupted")):
                return "\n".join(lines[place:]).removeprefix("Error: ")
        if training.stop_wanted and status in (-signal.SIGTERM, 128 + signal.SIGTERM):
            return "It was stopped before it began; nothing was saved."
        killed = f"signal {-status}" if status < 0 else f"status {status}"
        return f"The process ended with {killed}, possibly for lack of memory; the last checkpoint stays."

    def _end(self, training: Training, state: State, message: str) -> None:
        training.state, training.message = state, message
        if training.plan.settings is not None:
            training.plan.settings.unlink(missing_ok=True)
        self._changes.note()


def _start(words: Sequence[str]) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    return subprocess.Popen(
        [*COMMAND, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**environment, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
        start_new_session=True,  # Ctrl-C in the terminal reaches the server alone, which tells the training once
    )
