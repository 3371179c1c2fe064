"""Apply one model to images: what is checked before the first of them, and what became of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from restore.cli.backends import check_backend, open_on_backend
from restore.cli.console.durations import format_duration
from restore.cli.counting import count
from restore.cli.prediction.jobs import Job, find_images, list_jobs, name_outputs
from restore.cli.prediction.output_files import OutputFiles, list_paths, refuse_output_folder
from restore.cli.prediction.running import Prediction
from restore.core.errors import UsageError
from restore.core.inference.folding import fold_batch_norm
from restore.core.inference.self_ensemble import with_self_ensemble
from restore.core.networks import Networks
from restore.core.runtime.devices import device_of
from restore.core.runtime.precision import choose

if TYPE_CHECKING:
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

    def run(self) -> None:
        """Process the images, one after the other."""
        self.began = time.monotonic()
        self.failed = [job for job in self.prediction.outputs.jobs if not self.prediction.attempt(job)]

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
    model: ModelRef, options: Settings | None, pipes: Pipes, folder: Path, request: PredictRequest, bar: Bar
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
    on_torch = request.backend == "torch"
    device = device_of(request.device if on_torch else "cpu")
    precision = choose(request.precision, device) if on_torch else "fp32"
    method, networks = model.open(predict=options)
    if isinstance(request.tile, int) and method.tiling.mode == "whole":
        raise UsageError(f"--tile {request.tile}: {model.name} needs the whole image at once; leave --tile out")
    if request.self_ensemble and not (request.compare and model.weights is None):
        method = with_self_ensemble(method)
    jobs = list_jobs(names, request.frame, pipes.rename)
    if pipes.to_standard_output and len(jobs) > 1:
        raise UsageError(f"--output -: standard output takes one image, not {len(jobs)}; name a folder")
    read, single = [*found.folders, *also_read], pipes.to_standard_output
    outputs = OutputFiles(folder, jobs, read, request.overwrite, request.output_format, single=single)
    skipped = outputs.skip_existing(method.always_renders) if request.skip_existing else 0
    outputs.reserve(method.always_renders)
    outputs.make_folders()
    if on_torch:
        networks = Networks(fold_batch_norm(networks))  # once for all images
    else:
        networks = open_on_backend(model, method, networks, request.backend, bar.say)
    prediction = Prediction(method, networks, device, precision, request, outputs, bar)
    return Applied(prediction, folder, jobs, skipped, found.hidden)
