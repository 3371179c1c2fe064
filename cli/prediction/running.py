"""Apply a model to images, one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from restore.cli.console.durations import format_duration
from restore.cli.exit import debug_enabled
from restore.cli.prediction.output_files import OutputExists
from restore.core.errors import RestoreError

if TYPE_CHECKING:
    import torch

    from restore.cli.console.bar import Bar
    from restore.cli.prediction.jobs import Job
    from restore.cli.prediction.output_files import OutputFiles
    from restore.cli.task_options import PredictRequest
    from restore.core.method import Method
    from restore.core.networks import Networks

LONG = 60.0
"""Seconds of work from which on the expected time is told."""


@dataclass
class Prediction:
    """A model with everything that is the same for all images."""

    method: Method
    networks: Networks
    device: torch.device
    precision: str
    request: PredictRequest
    outputs: OutputFiles
    bar: Bar
    announced: set[Path] = field(default_factory=set)
    """Images of which the expected time was told, if it is long."""

    def attempt(self, job: Job) -> bool:
        """Process one image; return whether that succeeded, and report the error if not.

        The error of a single image is raised, and so is OutputExists, which concerns all of them.
        """
        single = len(self.outputs.jobs) == 1 and not self.request.compare
        try:
            self._process(job)
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

    def _process(self, job: Job) -> None:
        from restore.cli.prediction.results import write_results
        from restore.core.images.files import open_image

        image = open_image(job.path, job.frame)

        def place(part: str) -> Path:
            self.outputs.reserve([part])
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
            progress=partial(self._show_progress, job, image.size, time.monotonic()),
        )
        for file in files:
            if not self.outputs.single:
                self.bar.print(f"{job.shown} -> {file.path} ({file.width} x {file.height})")

    def _show_progress(self, job: Job, size: tuple[int, int], began: float, done: int, total: int) -> None:
        """Move the bar; say before long work, when the first part of it is done, how long it will take."""
        seconds = (time.monotonic() - began) / done * total
        if job.path not in self.announced and done < total and seconds > LONG:
            self.bar.say(f"{job.shown}: {size[1]} x {size[0]} pixels, about {format_duration(seconds)}")
        self.announced.add(job.path)
        name = Path(job.shown).name
        what = name if done < total else f"writing {name}"
        self.bar.show(what, round(self.outputs.jobs.index(job) + done / total, 2), len(self.outputs.jobs))
