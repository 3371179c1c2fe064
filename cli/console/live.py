"""Progress of a run as live lines on a terminal, drawn with rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column
from rich.text import Text

from restore.cli.console.next_steps import Example
from restore.cli.console.progress import Progress
from restore.core import events


class _Lines(Bars):
    """The bar with lines below it: a single line would be cut off on a narrow terminal."""

    below: Callable[[], Iterator[Text]] = staticmethod(lambda: iter(()))

    def get_renderables(self) -> Iterator[RenderableType]:
        """Yield the bar and the lines below, which change between two steps too (time left)."""
        yield from super().get_renderables()
        yield from self.below()


class LiveProgress(Progress):
    """Draws phase, epoch, step, time left, rate and losses in place; evaluations scroll above them."""

    def __init__(self, console: Console | None = None, example: Example | None = None) -> None:
        super().__init__(example)
        self.console = console or Console(highlight=False)
        self._bar = _Lines(
            TextColumn("{task.fields[phase]}", style="bold", markup=False),
            TextColumn("epoch {task.fields[epoch]}", markup=False),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=3)),
            TextColumn("step {task.completed:.0f}/{task.total:.0f}", markup=False),
            console=self.console,
            expand=True,
            transient=True,
        )
        self._bar.below = self._below
        self._rate = ""
        self._task = self._bar.add_task("", start=False, visible=False, phase="", epoch="", total=1)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def print(self, text: str) -> None:
        """Print lines above the live ones."""
        self.console.print(Text(text), soft_wrap=True)

    def print_warning(self, message: str) -> None:
        """Print a warning above the live lines."""
        self.console.print(Text.assemble(("Warning: ", "bold yellow"), message), soft_wrap=True)

    def show_step(self, event: events.StepDone) -> None:
        """Update the live lines."""
        self._rate = f"{self.throughput.rate:.1f} images/s"
        self._bar.update(
            self._task,
            visible=True,
            phase=event.phase,
            epoch=f"{event.epoch + 1}/{event.epochs}",
            total=event.steps,
            completed=event.step,
        )

    def _below(self) -> Iterator[Text]:
        if self._bar.tasks[self._task].visible:
            left = self.time_left.estimate()
            yield Text.assemble("  ", (f"{left}  " if left else "", "cyan"), (self._rate, "green"))
            if losses := self.format_losses():
                yield Text(f"  {losses}", style="dim", overflow="ellipsis", no_wrap=True)

    def show_evaluation(self, event: events.Evaluated) -> None:
        """Print a line of the table of evaluations."""
        self.print("\n".join(self.report.evaluation(event)))

    def end_phase(self, event: events.PhaseFinished) -> None:
        """Print why a phase was shorter than planned."""
        if event.stopped_early:
            self.print(f"phase {event.phase} stopped early: no further improvement")

    def show_result(self, event: events.RunFinished) -> None:
        """Remove the live lines and print the results."""
        self._bar.update(self._task, visible=False)
        super().show_result(event)
