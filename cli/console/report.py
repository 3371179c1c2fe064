"""The text about a run at its start, at each evaluation and at its end."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from restore.cli.console.durations import format_duration
from restore.cli.console.next_steps import ONE_IMAGE, Example
from restore.cli.console.tables import (
    Column,
    format_headings,
    format_rows,
    format_sentence,
    format_table,
    list_columns,
    to_rows,
)
from restore.core import events

MANY, FEW = 6, 4
"""A line with more metrics than MANY shows only the first FEW."""


class Report:
    """Lines of text about a run; a table gets a heading only when its columns change.

    Args:
        example: tells what follows ``restore predict RUN`` in the commands to try next; None: one image.
    """

    def __init__(self, example: Example | None = None) -> None:
        self._columns: list[Column] | None = None
        self._describe = example or (lambda _: ONE_IMAGE)
        self._example = ONE_IMAGE

    def start(self, event: events.RunStarted) -> Iterator[str]:
        """Yield what is trained, on which data and device, and the run folder."""
        self._example = self._describe(event.inputs)
        weights = ", ".join(f"{name} {count:,}" for name, count in event.parameters.items())
        processes = f", {event.processes} processes" if event.processes > 1 else ""
        epochs = " + ".join(f"{epochs} {name}" for name, epochs in event.phases)
        yield f"Training {event.task} on {event.device} in {event.precision}{processes}"
        yield f"  images    {event.train_images} for training, {event.validation_images} for validation"
        yield f"  epochs    {epochs}, each {event.steps_per_epoch} steps ({event.samples_per_epoch:,} samples)"
        yield f"  networks  {weights} parameters"
        if event.recipe:
            yield f"  recipe    {event.recipe}"
        yield f"  folder    {shorten_path(event.folder)}"
        if event.begins_with:
            yield f"  weights   initialized from {event.begins_with}"
        if event.resumed_at is not None:
            yield f"  resumed   after step {event.resumed_at}"

    def evaluation(self, event: events.Evaluated) -> Iterator[str]:
        """Yield a line of the table of evaluations, below a heading if the columns changed.

        Of many metrics only the first few are shown; the log has all.
        """
        rows = to_rows(event.numbers)
        columns = list_columns(rows)
        left_out = len(columns) - FEW if len(columns) > MANY else 0
        columns = columns[: len(columns) - left_out]
        if columns != self._columns:
            self._columns = columns
            more = f"  (and {left_out} more in log.csv)" if left_out else ""
            yield f"{'epoch':>5}  {'validation':<14}  {format_headings(columns)}{more}"
        epoch = "-" if event.run_step == 0 else str(event.epoch + 1)
        best = "  saved as best" if event.best else ""
        for owner, line in format_rows(rows, columns):
            yield f"{epoch:>5}  {owner:<14}  {line}{best}"

    def evaluation_in_words(self, event: events.Evaluated) -> str:
        """Return the metrics of an evaluation as one line."""
        best = " (saved as best)" if event.best else ""
        return f"validation {format_sentence(to_rows(event.numbers))}{best}"

    def end(self, event: events.RunFinished) -> Iterator[str]:
        """Yield the metrics, the files and the commands to try next."""
        folder = shlex.quote(shorten_path(event.folder))
        yield ""
        if event.numbers:
            yield from format_table(to_rows(event.numbers), "validation")
            yield ""
        yield f"Finished after {format_duration(event.seconds)}."
        yield f"  weights   {shorten_path(event.weights)}"
        yield f"  samples   {shorten_path(event.folder / 'samples')}"
        if (event.folder / "report.html").is_file():
            yield f"  report    {shorten_path(event.folder / 'report.html')}"
        yield "Next:"
        yield f"  restore predict {folder} {self._example}"
        yield f"  restore evaluate {folder} --data FOLDER"


def shorten_path(path: Path) -> str:
    """Return a path relative to the working directory if it is inside."""
    try:
        return str(path.resolve().relative_to(Path.cwd())) or os.curdir
    except ValueError:
        return str(path)
