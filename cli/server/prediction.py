"""What the worker of a server does with a job: the prediction of ``restore predict``, within the server's limits."""

from __future__ import annotations

import logging
import math
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from restore.cli.exit import WRONG_USAGE, UserError, debug_enabled
from restore.cli.prediction.output_files import name_result
from restore.cli.prediction.results import write_results
from restore.cli.server.jobs import Job, Result
from restore.cli.server.opened_models import OpenedModels
from restore.cli.server.uploads import clean_name
from restore.cli.task_options import PredictRequest
from restore.core.errors import DataError, UsageError, is_out_of_memory
from restore.core.images.files import open_image
from restore.core.images.resizing import OutputSize
from restore.core.inference.self_ensemble import add_self_ensemble
from restore.core.method import Method
from restore.core.prediction import choose_options
from restore.core.runtime.precision import choose

Report = Callable[[Job, int, int], None]

FORMATS = {"png": "image/png", "tif": "image/tiff", "jpg": "image/jpeg"}
"""Content types by suffix."""


class PredictionWorker:
    """Runs jobs in the one thread of a queue.

    Args:
        device: where to compute.
        budget: bytes of memory for networks, see `OpenedModels`.
        most_pixels: largest result in pixels.
    """

    def __init__(self, device: torch.device, budget: float, most_pixels: float) -> None:
        self._device, self._most_pixels = device, most_pixels
        self._models = OpenedModels(budget)

    def run(self, job: Job, report: Report) -> list[Result]:
        """Do the work of a job; return the files that were written.

        Raises what `write_results` raises, and DataError if the result would be too large.
        """
        work, request = job.work, job.work.request
        report(job, 0, 0)
        with _warnings_of(job):
            opened = self._models.open(work.model, work.options)
            method = add_self_ensemble(opened.method) if request.self_ensemble else opened.method
            image = open_image(work.image, _frame_index(request.frame))
            self._refuse_large(method, image.size, request)
            parts: dict[str, Path] = {}

            def place(part: str) -> Path:
                # Numbers, since the names of parts may come from a weights file.
                name = name_result(f"result{len(parts)}", "", request.output_format)
                return parts.setdefault(part, work.folder / name)

            written = write_results(
                method,
                opened.networks,
                work.image,
                image,
                place,
                request,
                device=self._device,
                precision=choose(request.precision, self._device),
                notify=lambda message: job.warnings.append(job.scrub(message)),
                progress=partial(report, job),
            )
            job.classes = method.class_maps
            job.chosen = choose_options(
                method,
                opened.networks,
                work.image,
                image,
                device=self._device,
                precision=choose(request.precision, self._device),
            )
        names = {path: part for part, path in parts.items()}
        stem = Path(work.name).stem
        return [
            Result(
                file.path,
                clean_name(name_result(stem, names[file.path], request.output_format)),
                names[file.path],
                file.height,
                file.width,
                file.path.stat().st_size,
            )
            for file in written
        ]

    def _refuse_large(self, method: Method, size: tuple[int, int], request: PredictRequest) -> None:
        """Raise DataError if the results together have more pixels than allowed, before or after they are resized."""
        height, width = size
        final, main = OutputSize(request.output_scale, request.box), method.outputs[method.main_output].scale
        pixels = 0.0
        for spec in method.outputs.values():
            made = math.ceil(height * spec.scale), math.ceil(width * spec.scale)
            resized = final.of(made, size, main)
            pixels += max(math.prod(made), math.prod(resized)) * max(1.0, spec.channels / 3)
        if pixels > self._most_pixels:
            raise DataError(
                f"the result would have {pixels / 1e6:.0f} million pixels; this server writes up to "
                f"{self._most_pixels / 1e6:.0f} million (--max-output-megapixels)"
            )


def _frame_index(frame: str | int | None) -> int | None:
    """Return the index of the frame to read. Raises UsageError for all of them at once."""
    if frame == "all":
        raise UsageError("frame: one frame a request; send a number, or first")
    return 0 if frame == "first" else None if frame is None else int(frame) - 1


def explain_failure(error: BaseException) -> tuple[str, int]:
    """Return the message and the HTTP status for an error of a job; print the traceback of a bug."""
    if isinstance(error, UserError):
        return str(error), 400 if error.exit_status == WRONG_USAGE else 422
    if is_out_of_memory(error):
        return "the memory of the server does not suffice; use a smaller image", 507
    if debug_enabled() or not isinstance(error, (MemoryError, OSError)):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, OSError):
        return f"the server cannot write the result: {error.strerror}", 507
    return "the server has a bug; its console shows where", 500


class _JobWarnings(logging.Handler):
    """Appends the warnings that one thread logs to its job."""

    def __init__(self, job: Job) -> None:
        super().__init__(logging.WARNING)
        self._job, self._thread = job, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Note a warning that is new."""
        text = self._job.scrub(record.getMessage())
        if record.thread == self._thread and text not in self._job.warnings:
            self._job.warnings.append(text)


class _warnings_of:  # noqa: N801 - used as a function
    """While the block runs, warnings that this thread logs belong to a job."""

    def __init__(self, job: Job) -> None:
        self._handler = _JobWarnings(job)

    def __enter__(self) -> None:
        logging.getLogger().addHandler(self._handler)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._handler)
