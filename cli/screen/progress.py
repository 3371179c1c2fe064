"""What a person sees while a network is trained: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from restore.cli.outcome import complain
from restore.cli.screen.pace import Pace
from restore.cli.screen.report import Report
from restore.cli.screen.time_left import TimeLeft
from restore.core import events

NOT_SHOWN = ("/lr", "/gradient")
"""Ends of names in the log that are no news for a person watching."""


@contextmanager
def shown_progress(stream: TextIO | None = None) -> Iterator[Progress]:
    """A listener for a run's events, drawn live if ``stream`` (standard output) is a terminal."""
    stream = stream or sys.stdout
    if stream.isatty():
        from restore.cli.screen.live import LiveProgress

        with LiveProgress() as live:
            yield live
    else:
        yield PlainProgress(stream)


class Progress:
    """Follows a run and knows what there is to say; a subclass says it."""

    def __init__(self) -> None:
        self.pace = Pace()
        self.time_left = TimeLeft()
        self.report = Report()
        self.losses: dict[str, float] = {}
        self.phases = 1
        self.folder: Path | None = None
        self.saved_step: int | None = None
        """The optimizer step from which the run would go on if it ended now; none before the first checkpoint."""
        self._said: set[str] = set()

    def __call__(self, event: events.Event) -> None:
        """Take one event."""
        self.time_left(event)
        match event:
            case events.RunStarted():
                self.phases = len(event.phases)
                self.folder, self.saved_step = event.folder, event.resumed_at
                self.say("\n".join(self.report.start(event)))
            case events.PhaseStarted():
                self.pace.begin_phase()
                self.losses = {}
                self.phase_started(event)
            case events.StepDone():
                self.pace.step(event)
                if advice := self.pace.advice():
                    self.warn(advice)
                self.step_done(event)
            case events.Logged():
                self.losses = {name: n for name, n in event.numbers.items() if not name.endswith(NOT_SHOWN)}
            case events.Evaluated():
                self.evaluated(event)
            case events.PhaseFinished():
                self.phase_finished(event)
            case events.CheckpointSaved():
                self.saved_step = event.run_step
            case events.Warned():
                self.warn(event.message)
            case events.RunFinished():
                self.finished(event)

    def warn(self, message: str) -> None:
        """Say a warning that was not said before."""
        if message not in self._said:
            self._said.add(message)
            self.warning(message)

    def shown_losses(self) -> str:
        """The numbers of the last log line, short."""
        return "  ".join(f"{name} {value:.4g}" for name, value in self.losses.items())

    def say(self, text: str) -> None:
        """Show lines that stay."""
        raise NotImplementedError

    def warning(self, message: str) -> None:
        """Show a warning."""
        raise NotImplementedError

    def phase_started(self, event: events.PhaseStarted) -> None:
        """A phase begins."""

    def step_done(self, event: events.StepDone) -> None:
        """A step was made."""

    def evaluated(self, event: events.Evaluated) -> None:
        """Validation pictures were measured."""

    def phase_finished(self, event: events.PhaseFinished) -> None:
        """A phase is over."""

    def finished(self, event: events.RunFinished) -> None:
        """The run is over."""
        self.say("\n".join(self.report.end(event)))


class PlainProgress(Progress):
    """One line an epoch, for files and pipes."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._last: events.StepDone | None = None

    def say(self, text: str) -> None:
        """Write lines at once, so that a file can be followed."""
        print(text, file=self._stream, flush=True)

    def warning(self, message: str) -> None:
        """Write a warning to standard error, where it is seen although the output goes to a file."""
        self._stream.flush()
        complain(message, prefix="Warning: ")

    def phase_started(self, event: events.PhaseStarted) -> None:
        """Name the phase."""
        self.say(f"phase {event.phase} ({event.index + 1} of {self.phases}), epochs: {event.epochs}")

    def step_done(self, event: events.StepDone) -> None:
        """Say how the last epoch went once the first step of the next shows that no measurement follows it."""
        self._end_epoch("")
        if event.step == event.steps:
            self._last = event

    def evaluated(self, event: events.Evaluated) -> None:
        """Join the measurement to its epoch's line."""
        text = self.report.evaluation_in_words(event)
        if not self._end_epoch(text):
            self.say(f"{event.phase}: {text}")

    def phase_finished(self, event: events.PhaseFinished) -> None:
        """Close the phase."""
        self._end_epoch("")
        if event.stopped_early:
            self.say(f"phase {event.phase} ended early: no improvement any more")

    def _end_epoch(self, measured: str) -> bool:
        """Write the line of an epoch that is over; whether there was one."""
        done, self._last = self._last, None
        if done is None:
            return False
        left = self.time_left.estimate()
        parts = [
            self.shown_losses(),
            f"{self.pace.rate:.1f} images/s",
            measured,
            str(left) if left and left.seconds >= 1 else "",
        ]
        self.say(f"epoch {done.epoch + 1}/{done.epochs} ({done.phase}): {'; '.join(filter(None, parts))}")
        return True


def resume_line(task: str, folder: Path) -> str:
    """What to type to go on with a run."""
    return f"restore train {task} --resume {shlex.quote(str(folder))}"
