"""A progress bar for work of a known length, drawn on standard error if that is a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from restore.cli.console.durations import format_duration
from restore.cli.exit import print_error, print_warning


class Pace:
    """Estimates how long work takes, from the part of it that came after the first step.

    The first step is slower than all others, because memory and kernels are prepared in it, so it does not count.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._total = 0.0
        self._first = self._last = (0.0, 0.0)  # seconds, and how much was done then
        self._steps = 0

    def step(self, done: float, total: float) -> None:
        """Take note of how much is done. Another total, or less than before, is other work."""
        if total != self._total or done < self._last[1]:
            self._total, self._steps = total, 0
        self._last = (self._clock(), done)
        if self._steps == 0:
            self._first = self._last
        self._steps += 1

    def estimate_left(self) -> float | None:
        """Return the seconds that are left, or None if they are not known yet."""
        seconds, done = (last - first for last, first in zip(self._last, self._first, strict=True))
        if self._steps < 2 or done <= 0:
            return None
        at_the_step = (self._total - self._last[1]) / done * seconds
        return max(0.0, at_the_step - (self._clock() - self._last[0]))


class _TimeLeft(ProgressColumn):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:
        left = self._pace.estimate_left()
        shown = "" if left is None or task.finished else f"{format_duration(left)} left"
        return Text(shown, style="cyan")


class Bar:
    """Shows how far work is; draws nothing without a terminal."""

    def __init__(self, progress: Progress | None, pace: Pace) -> None:
        self._progress, self._pace = progress, pace
        self._step = progress.add_task("", visible=False, detail="") if progress is not None else None

    @property
    def drawn(self) -> bool:
        """Whether anybody sees it."""
        return self._progress is not None

    def show(self, what: str, done: float, total: float, detail: str | None = None) -> None:
        """Show what is being done and how far it is.

        Args:
            what: what is being done.
            done: how much is done, in any unit in which equal steps take equal time.
            total: all of it.
            detail: what to show of it in words; None: both numbers.
        """
        self._pace.step(done, total)
        if self._progress is not None and self._step is not None:
            words = f"{int(done)}/{int(total)}" if detail is None else detail
            self._progress.update(self._step, description=what, completed=done, total=total, visible=True, detail=words)

    def print(self, line: str) -> None:
        """Print a line of the command's output, above the bar if both are on one terminal."""
        if self._progress is not None and sys.stdout.isatty():
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
            return
        try:
            print(line, flush=True)
        except BrokenPipeError:  # the reader has left, as head does; the work goes on
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - until the program ends

    def say(self, line: str) -> None:
        """Print a line about the work on standard error, above the bar."""
        if self._progress is not None:
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def warn(self, message: str) -> None:
        """Print a warning on standard error, above the bar."""
        if self._progress is not None:
            self._progress.console.print(Text.assemble(("Warning: ", "bold yellow"), message), soft_wrap=True)
        else:
            print_warning(message)

    def error(self, message: str) -> None:
        """Print an error on standard error, above the bar, and go on."""
        if self._progress is not None:
            self._progress.console.print(Text.assemble(("Error: ", "bold red"), message), soft_wrap=True)
        else:
            print_error(message)


@contextmanager
def open_bar() -> Iterator[Bar]:
    """Yield a bar that disappears at the end."""
    pace = Pace()
    if sys.stderr is None or not sys.stderr.isatty():  # None if the parent process closed it
        yield Bar(None, pace)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        _TimeLeft(pace),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        yield Bar(progress, pace)
