"""Send the numbers and samples of a run to experiment trackers, such as TensorBoard or wandb, through Accelerate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers
from accelerate.utils import LoggerType
from PIL import Image

from restore.core import events
from restore.core.errors import UsageError
from restore.core.settings import RunSettings

_NAME_OF_RUN: Final[Mapping[str, str]] = {
    "clearml": "task_name",
    "mlflow": "run_name",
    "swanlab": "experiment_name",
    "trackio": "name",
    "wandb": "name",
}
"""The argument by which a tracker takes the name of a run; the others name it themselves."""

_SPECIAL: Final = re.compile(r"[^A-Za-z0-9_./: -]")
"""Characters that some trackers refuse in names."""


def check_trackers(names: Iterable[str]) -> None:
    """Raise UsageError if Accelerate has no tracker of a name, or if what it needs is not installed."""
    installed = set(map(str, get_available_trackers()))
    for name in names:
        if name not in LOGGER_TYPE_TO_CLASS:
            raise UsageError(f"--track {name}: no such tracker; available: {', '.join(sorted(LOGGER_TYPE_TO_CLASS))}")
        if name in map(str, LoggerType) and name not in installed:  # others were registered by who provides them
            raise UsageError(f"--track {name}: its package is not installed here: pip install {name}")


class ExperimentTracker:
    """A listener that sends scalars, sample images and the settings of a run to one tracker.

    A resumed run is a new run for its tracker, except for TensorBoard, which goes on in the run folder.

    Args:
        name: name of the tracker.
        settings: settings of the run, which the tracker is given as hyperparameters.
    """

    def __init__(self, name: str, settings: RunSettings) -> None:
        self.name = name
        self.settings = settings
        self._phases: set[str] = set()

    @property
    def label(self) -> str:
        """What warnings call it."""
        return f"The tracker {self.name}"

    def __call__(self, event: events.Event) -> None:
        """Handle one event."""
        match event:
            case events.RunStarted():
                self._phases = {phase for phase, _ in event.phases}
                self._start(event)
            case events.Logged():
                self._log({f"train/{name}": value for name, value in event.numbers.items()}, event.run_step)
            case events.Evaluated() if event.phase in self._phases:
                numbers = {f"validation/{n.name} ({n.convention})": n.value for n in event.numbers}
                self._log(numbers, event.run_step)
            case events.SamplesWritten():
                self._log_samples(event)
            case events.RunFinished() | events.RunFailed() | events.RunInterrupted():
                self._tracker.finish()

    def _start(self, event: events.RunStarted) -> None:
        tracker_type, folder = LOGGER_TYPE_TO_CLASS[self.name], event.folder
        project = self.settings.track_project or event.task.rpartition("/")[2]
        options: dict[str, Any] = {}
        if self.name in _NAME_OF_RUN:
            options[_NAME_OF_RUN[self.name]] = folder.name
        if self.name == "wandb":
            options["dir"] = str(folder)
        if self.name == "tensorboard":
            purged = None if event.resumed_at is None else event.resumed_at + 1
            self._tracker: Any = tracker_type("tensorboard", str(folder), purge_step=purged)
        elif tracker_type.requires_logging_directory:
            self._tracker = tracker_type(project, str(folder.parent), **options)
        else:
            self._tracker = tracker_type(project, **options)
        if hasattr(self._tracker, "start"):  # older versions of Accelerate start it when it is made
            self._tracker.start()
        values = dict(_flatten(self.settings.model_dump(mode="json")))
        if self.name == "tensorboard":
            # its hyperparameters would become a second run, in a folder named after the time
            self._tracker.log({"settings": "\n".join(f"    {name}: {value}" for name, value in values.items())}, 0)
        else:
            self._tracker.store_init_configuration(values)

    def _log(self, numbers: Mapping[str, float], step: int) -> None:
        if self.name != "tensorboard":
            numbers = {_SPECIAL.sub("", name): value for name, value in numbers.items()}
        self._tracker.log(dict(numbers), step=step)

    def _log_samples(self, event: events.SamplesWritten) -> None:
        """Send a sheet of samples, if the tracker takes images or files."""
        if hasattr(self._tracker, "log_images"):
            with Image.open(event.path) as opened:
                sheet = opened.convert("RGB")
            if self.name == "tensorboard":
                self._tracker.log_images({"samples": np.asarray(sheet)[None]}, event.run_step, dataformats="NHWC")
            else:
                images = sheet if self.name == "aim" else [sheet]
                self._tracker.log_images({"samples": images}, step=event.run_step)
        elif hasattr(self._tracker, "log_artifact"):
            self._tracker.log_artifact(str(event.path), "samples")


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, bool | int | float | str | None]]:
    """Yield every setting with its dotted name; what is no single value becomes text."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, bool | int | float | str | None) else str(value)
