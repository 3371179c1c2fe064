"""Apply one model to images: what is checked before the first of them, and what became of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from restore.cli.backends import check_backend
from restore.cli.console.durations import format_duration
from restore.cli.counting import count
from restore.cli.prediction.demonstration import describe_demonstration
from restore.cli.prediction.jobs import Job, find_images, list_jobs, name_outputs
from restore.cli.prediction.opening import open_prediction
from restore.cli.prediction.output_files import OutputFiles, list_paths, refuse_output_folder
from restore.cli.prediction.progress import JobProgress
from restore.cli.prediction.running import Prediction, Shown
from restore.cli.prediction.workers import predict_in_workers
from restore.core.errors import UsageError
from restore.core.runtime.devices import device_of

if TYPE_CHECKING:
    from restore.cli.command_line import CommandLine
    from restore.cli.console.bar import Bar
    from restore.cli.model_ref import ModelRef
    from restore.cli.prediction.pipes import Pipes
    from restore.cli.task_options import PredictRequest
    from restore.core.settings import Settings


@dataclass
class Applied:
    """A model that is ready to be applied, and then what became of the images."""

    prediction: Prediction
    folder: Path
    jobs: Sequence[Job]
    """All images, also those that are skipped."""
    skipped: int
    hidden: int
    """Hidden and system files that were left out."""
    failed: list[Job] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def run(self, command: CommandLine, bar: Bar) -> None:
        """Process the images, one after the other, or in several processes if asked for."""
        self.began = time.monotonic()
        outputs, count = self.prediction.outputs, self.prediction.request.workers
        if count > 1 and len(outputs.jobs) > 1:
            self.failed = predict_in_workers(command, outputs, count, bar)
            return
        progress = JobProgress(outputs.jobs, bar)
        for index, job in enumerate(outputs.jobs):
            if not self.prediction.attempt(job, partial(progress.tile, index)):
                self.failed.append(job)
            progress.end(index)

    def summarize(self) -> str:
        """Return the last line about the work."""
        written = len(self.jobs) - self.skipped - len(self.failed)
        parts = [f"{count(written, 'image')} written to {self.folder}"]
        if self.skipped:
            whose = "its result exists" if self.skipped == 1 else "their results exist"
            parts.append(f"{self.skipped} skipped because {whose}")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        if self.hidden:
            parts.append(f"{count(self.hidden, 'hidden or system file')} left out")
        return f"{', '.join(parts)}; {format_duration(time.monotonic() - self.began)}"

    def find_result(self, job: Job) -> Path | None:
        """Return the file with the main part of a result, or None if there is none."""
        outputs = self.prediction.outputs
        parts = self.prediction.method.always_renders or tuple(sorted(outputs.parts))
        path = outputs.path(job, parts[0]) if parts else None
        return path if path is not None and job not in self.failed and path.exists() else None


def prepare(
    model: ModelRef, options: Settings | None, pipes: Pipes, folder: Path, request: PredictRequest, bar: Shown
) -> Applied:
    """Open a model and check everything that can be known before the first image is read.

    Args:
        model: what to apply.
        options: the task's own options.
        pipes: the images.
        folder: where the results go.
        request: the options of the command.
        bar: shows progress.

    Raises:
        UsageError: the images, the options or the files in the folder do not fit.
        RestoreError: the weights are damaged, or the folder cannot be written to.
    """
    found = find_images(pipes.inputs, recursive=request.recursive, output=pipes.output)
    names = name_outputs(found.folders)
    also_read = list(list_paths(options))
    refuse_output_folder(folder, also_read)
    check_backend(request.backend, request.device, request.precision)
    if request.backend != "torch" and model.weights is None and not request.compare:
        raise UsageError(f"--backend {request.backend}: {model.name} is a classical method and has no network")
    jobs = list_jobs(names, request.frame, pipes.rename)
    if pipes.to_standard_output and len(jobs) > 1:
        raise UsageError(f"--output -: standard output takes one image, not {len(jobs)}; name a folder")
    read, single = [*found.folders, *also_read], pipes.to_standard_output
    outputs = OutputFiles(folder, jobs, read, request.overwrite, request.output_format, single=single)
    prediction = open_prediction(model, options, request, outputs, bar, device_of(request.torch_device))
    parts = prediction.method.always_renders
    skipped = outputs.skip_existing(parts) if request.skip_existing else 0
    outputs.reserve(parts)
    outputs.make_folders()
    if said := describe_demonstration(model, prediction.method):
        bar.warn(said)
    return Applied(prediction, folder, jobs, skipped, found.hidden)
