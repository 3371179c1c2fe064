"""Apply a model to images, one after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from restore.cli.console.durations import format_duration
from restore.cli.exit import debug_enabled
from restore.cli.prediction.output_files import OutputExists
from restore.cli.prediction.progress import ExpectedTime
from restore.core.errors import RestoreError

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from restore.cli.prediction.jobs import Job
    from restore.cli.prediction.output_files import OutputFiles
    from restore.cli.task_options import PredictRequest
    from restore.core.images.resizing import Size
    from restore.core.inference.bands import Progress
    from restore.core.method import Method
    from restore.core.networks import Networks

LONG = 60.0
"""Seconds of work from which on the expected time is told."""


class Shown(Protocol):
    """Where messages go: a `Bar`, or the parent of a worker process."""

    def print(self, line: str) -> None:
        """Print a line of the command's output."""
        ...

    def say(self, line: str) -> None:
        """Print a line about the work."""
        ...

    def warn(self, message: str) -> None:
        """Print a warning."""
        ...

    def error(self, message: str) -> None:
        """Print an error, and go on."""
        ...


@dataclass
class Prediction:
    """A model with everything that is the same for all images."""

    method: Method
    networks: Networks
    device: torch.device
    precision: str
    request: PredictRequest
    outputs: OutputFiles
    bar: Shown

    def attempt(self, job: Job, progress: Progress | None = None) -> bool:
        """Process one image; return whether that succeeded, and report the error if not.

        The error of a single image is raised, and so is OutputExists, which concerns all of them.

        Args:
            job: the image.
            progress: called with the number of finished tiles and their total.
        """
        single = len(self.outputs.jobs) == 1 and not self.request.compare
        try:
            self._process(job, progress or _nothing)
        except OutputExists:
            raise
        except RestoreError as error:
            message = str(error).replace(str(job.path), job.shown)
            if single:
                error.args = (message,)
                raise
            self.bar.error(message if message.startswith(job.shown) else f"{job.shown}: {message}")
            return False
        except Exception as error:
            if single or debug_enabled():
                raise
            first = (str(error).splitlines() or [""])[0]
            self.bar.error(
                f"{job.shown}: {type(error).__name__}: {first}\nThis is a bug. Try this image alone with --debug."
            )
            return False
        return True

    def _process(self, job: Job, progress: Progress) -> None:
        from restore.cli.prediction.results import write_results
        from restore.core.images.files import open_image

        image = open_image(job.path, job.frame)

        def place(part: str) -> Path:
            self.outputs.reserve([part], job)
            return self.outputs.path(job, part)

        files = write_results(
            self.method,
            self.networks,
            job.path,
            image,
            place,
            self.request,
            device=self.device,
            precision=self.precision,
            notify=lambda message: self.bar.warn(f"{job.shown}: {message}"),
            progress=partial(self._follow, job, image.size, ExpectedTime(), progress),
        )
        for file in files:
            if not self.outputs.single:
                self.bar.print(f"{job.shown} -> {file.path} ({file.width} x {file.height})")

    def _follow(self, job: Job, size: Size, expected: ExpectedTime, progress: Progress, done: int, total: int) -> None:
        """Pass progress on; say before long work how large the result will be and how long it will take."""
        seconds = expected.tile(done, total)
        if seconds is not None and seconds > LONG:
            (height, width), (new_height, new_width) = size, self._result_size(size)
            self.bar.say(
                f"{job.shown}: {width} x {height} -> {new_width} x {new_height} pixels, {total} tiles, about "
                f"{format_duration(seconds)}"
            )
        progress(done, total)

    def _result_size(self, size: Size) -> Size:
        """Return the size of the main part of a result."""
        from restore.core.images.resizing import OutputSize

        scale = self.method.outputs[self.method.main_output].scale
        height, width = (math.ceil(length * scale - 1e-9 * length) for length in size)
        return OutputSize(self.request.output_scale, self.request.box).of((height, width), size, scale)


def _nothing(done: int, total: int) -> None:
    """Show nothing."""
