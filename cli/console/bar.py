"""A progress bar for work of a known length, drawn on standard error if that is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from restore.cli.exit import print_error, print_warning


class Bar:
    """Counts steps; draws nothing without a terminal."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._step = progress.add_task("", visible=False) if progress is not None else None

    def show(self, what: str, done: float, total: float) -> None:
        """Show what is being done and how far it is."""
        if self._progress is not None and self._step is not None:
            self._progress.update(self._step, description=what, completed=done, total=total, visible=True)

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
    if sys.stderr is None or not sys.stderr.isatty():  # None if the parent process closed it
        yield Bar(None)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        yield Bar(progress)
