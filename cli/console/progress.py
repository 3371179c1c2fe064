"""Listeners that print the progress of a run: the base class, and plain lines for files and pipes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TextIO

from restore.cli.console.next_steps import Example
from restore.cli.console.report import Report
from restore.cli.console.throughput import Throughput
from restore.cli.console.time_left import TimeLeft
from restore.cli.exit import print_warning
from restore.core import events

NOT_SHOWN = ("/lr", "/gradient")
"""Endings of names in the log that are not printed."""


class Progress:
    """Follows a run and decides what to print; subclasses print it.

    Args:
        example: tells what follows ``restore predict RUN`` in the commands to try next; None: one image.
    """

    def __init__(self, example: Example | None = None) -> None:
        self.throughput = Throughput()
        self.time_left = TimeLeft()
        self.report = Report(example)
        self.losses: dict[str, float] = {}
        self.phases = 1
        self.folder: Path | None = None
        self.saved_step: int | None = None
        """The optimizer step of the last checkpoint; None before the first one."""
        self._warned: set[str] = set()

    def __call__(self, event: events.Event) -> None:
        """Handle one event."""
        self.time_left(event)
        match event:
            case events.RunStarted():
                self.phases = len(event.phases)
                self.folder, self.saved_step = event.folder, event.resumed_at
                self.print("\n".join(self.report.start(event)))
            case events.PhaseStarted():
                self.throughput.begin_phase()
                self.losses = {}
                self.show_phase(event)
            case events.StepDone():
                self.throughput.step(event)
                if advice := self.throughput.advice():
                    self.warn(advice)
                self.show_step(event)
            case events.Logged():
                self.losses = {name: n for name, n in event.numbers.items() if not name.endswith(NOT_SHOWN)}
            case events.Evaluated():
                self.show_evaluation(event)
            case events.PhaseFinished():
                self.end_phase(event)
            case events.CheckpointSaved():
                self.saved_step = event.run_step
            case events.Warned():
                self.warn(event.message)
            case events.RunFinished():
                self.show_result(event)

    def warn(self, message: str) -> None:
        """Print a warning unless it was printed before."""
        if message not in self._warned:
            self._warned.add(message)
            self.print_warning(message)

    def format_losses(self) -> str:
        """Return the values of the last log line as short text."""
        return "  ".join(f"{name} {value:.4g}" for name, value in self.losses.items())

    def print(self, text: str) -> None:
        """Print lines that stay."""
        raise NotImplementedError

    def print_warning(self, message: str) -> None:
        """Print a warning."""
        raise NotImplementedError

    def show_phase(self, event: events.PhaseStarted) -> None:
        """Handle the start of a phase."""

    def show_step(self, event: events.StepDone) -> None:
        """Handle a step."""

    def show_evaluation(self, event: events.Evaluated) -> None:
        """Handle an evaluation."""

    def end_phase(self, event: events.PhaseFinished) -> None:
        """Handle the end of a phase."""

    def show_result(self, event: events.RunFinished) -> None:
        """Print the results of the run."""
        self.print("\n".join(self.report.end(event)))


class PlainProgress(Progress):
    """Prints one line per epoch, for files and pipes.

    When nobody reads the pipe any more, because a program that started the run has ended, the run is interrupted: it
    saves a checkpoint and ends, as after Ctrl-C.
    """

    def __init__(self, stream: TextIO, example: Example | None = None) -> None:
        super().__init__(example)
        self._stream = stream
        self._last: events.StepDone | None = None

    def print(self, text: str) -> None:
        """Print lines without buffering, so that a file can be followed."""
        try:
            print(text, file=self._stream, flush=True)
        except BrokenPipeError:
            _interrupt()

    def print_warning(self, message: str) -> None:
        """Print a warning on standard error, which is visible even if the output goes to a file."""
        try:
            self._stream.flush()
            print_warning(message)
        except BrokenPipeError:
            _interrupt()

    def show_phase(self, event: events.PhaseStarted) -> None:
        """Print the name of the phase."""
        self.print(f"phase {event.phase} ({event.index + 1} of {self.phases}), epochs: {event.epochs}")

    def show_step(self, event: events.StepDone) -> None:
        """Print the line of an epoch when the next step shows that no evaluation follows it."""
        self._end_epoch("")
        if event.step == event.steps:
            self._last = event

    def show_evaluation(self, event: events.Evaluated) -> None:
        """Print the metrics on the line of their epoch."""
        text = self.report.evaluation_in_words(event)
        if not self._end_epoch(text):
            self.print(f"{event.phase}: {text}")

    def end_phase(self, event: events.PhaseFinished) -> None:
        """Print the last epoch, and why a phase ended early."""
        self._end_epoch("")
        if event.stopped_early:
            self.print(f"phase {event.phase} stopped early: no further improvement")

    def _end_epoch(self, measured: str) -> bool:
        """Print the line of a finished epoch; return whether there was one."""
        done, self._last = self._last, None
        if done is None:
            return False
        left = self.time_left.estimate()
        parts = [
            self.format_losses(),
            f"{self.throughput.rate:.1f} images/s",
            measured,
            str(left) if left and left.seconds >= 1 else "",
        ]
        self.print(f"epoch {done.epoch + 1}/{done.epochs} ({done.phase}): {'; '.join(filter(None, parts))}")
        return True


def _interrupt() -> None:
    """Let the run end with a checkpoint; what is still printed goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    signal.raise_signal(signal.SIGTERM)
