"""A listener in one file: it appends a line to a CSV file at each validation, of one run or of many.

With ``paths = ["scores.py"]`` in plugins.toml:

    restore train srgan --listener scores --listener.scores.file ../scores.csv
"""

from __future__ import annotations

import csv
from pathlib import Path

from restore.core import Settings
from restore.core.events import Evaluated, Event, RunStarted
from restore.registry import ListenerSpec, hookimpl


@hookimpl
def restore_listeners() -> list[ListenerSpec]:
    summary = "Append a line to a CSV file at each validation."
    return [ListenerSpec("scores", "scores:Scores", settings="scores:ScoresSettings", summary=summary)]


class ScoresSettings(Settings):
    file: Path = Path("scores.csv")
    """CSV file; a relative path starts at the run folder."""


class Scores:
    def __init__(self, settings: ScoresSettings) -> None:
        self.settings = settings
        self.run = Path()

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.run = event.folder
        if isinstance(event, Evaluated):
            with (self.run / self.settings.file).open("a", newline="", encoding="utf-8") as file:
                for number in event.numbers:
                    metric = f"{number.name} ({number.convention})"
                    csv.writer(file).writerow([self.run.name, event.phase, event.run_step, metric, number.value])
