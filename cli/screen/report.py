"""What is said about a run at its start, at each evaluation, and at its end."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from restore.cli.examples import ONE_PICTURE
from restore.cli.screen.durations import spoken
from restore.cli.screen.number_lines import Column, columns_of, headings, lines_of, rows_of, sentence, table
from restore.core import events

MANY, FEW = 6, 4
"""Metrics from which on a line of the table of evaluations is cut, and how many it is cut to."""


class Report:
    """Lines of text about a run; remembers what was announced already."""

    def __init__(self) -> None:
        self._announced: list[Column] | None = None
        self.example = ONE_PICTURE
        """What stands behind ``restore predict RUN`` in the lines about what to type next."""

    def start(self, event: events.RunStarted) -> Iterator[str]:
        """What is trained, on what, where, and where it is kept."""
        weights = ", ".join(f"{name} {count:,}" for name, count in event.parameters.items())
        processes = f", {event.processes} processes" if event.processes > 1 else ""
        epochs = " + ".join(f"{epochs} {name}" for name, epochs in event.phases)
        yield f"Training {event.task} on {event.device} in {event.precision}{processes}"
        yield f"  pictures  {event.train_pictures} to train on, {event.validation_pictures} to validate on"
        yield f"  epochs    {epochs}, of {event.steps_per_epoch} steps ({event.samples_per_epoch:,} samples) each"
        yield f"  weights   {weights}"
        if event.recipe:
            yield f"  recipe    {event.recipe}"
        yield f"  folder    {short(event.folder)}"
        if event.begins_with:
            yield f"  begins    with {event.begins_with}"
        if event.resumed_at is not None:
            yield f"  going on  after step {event.resumed_at}"

    def evaluation(self, event: events.Evaluated) -> Iterator[str]:
        """A line of the table of evaluations, under a heading whenever the metrics are new.

        Of more metrics than anybody takes in at a glance the first few are shown; the log has all.
        """
        rows = rows_of(event.numbers)
        columns = columns_of(rows)
        left_out = len(columns) - FEW if len(columns) > MANY else 0
        columns = columns[: len(columns) - left_out]
        if columns != self._announced:
            self._announced = columns
            more = f"  (and {left_out} more in log.csv)" if left_out else ""
            yield f"{'epoch':>5}  {'validation':<14}  {headings(columns)}{more}"
        epoch = "-" if event.run_step == 0 else str(event.epoch + 1)
        best = "  saved as best" if event.best else ""
        for owner, line in lines_of(rows, columns):
            yield f"{epoch:>5}  {owner:<14}  {line}{best}"

    def evaluation_in_words(self, event: events.Evaluated) -> str:
        """The same on one line of its own."""
        best = " (saved as best)" if event.best else ""
        return f"validation {sentence(rows_of(event.numbers))}{best}"

    def end(self, event: events.RunFinished) -> Iterator[str]:
        """What came out, where it is, and what to type next."""
        folder = shlex.quote(short(event.folder))
        yield ""
        if event.numbers:
            yield from table(rows_of(event.numbers), "validation")
            yield ""
        yield f"Finished after {spoken(event.seconds)}."
        yield f"  weights   {short(event.weights)}"
        yield f"  samples   {short(event.folder / 'samples')}"
        yield "Next:"
        yield f"  restore predict {folder} {self.example}"
        yield f"  restore evaluate {folder} --data FOLDER"


def short(path: Path) -> str:
    """A path relative to the working directory where it lies within it."""
    try:
        return str(path.resolve().relative_to(Path.cwd())) or os.curdir
    except ValueError:
        return str(path)
