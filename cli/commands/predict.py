"""``restore predict``: apply a run, a weights file or a classical method to image files."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restore.cli.commands.output_paths import (
    OutputExists,
    expand_inputs,
    list_paths,
    name_outputs,
    refuse_output_folder,
    refuse_overwrites,
)
from restore.cli.console.durations import format_duration
from restore.cli.exit import debug_enabled, print_error, print_warning
from restore.cli.model_ref import ModelRef, list_models, refuse_image, resolve_model
from restore.cli.typer_groups import LookupGroup, make_command
from restore.core.errors import RestoreError, UsageError

if TYPE_CHECKING:
    import torch

    from restore.cli.console.bar import Bar
    from restore.cli.task_options import PredictRequest
    from restore.core.images.files import OutputImage
    from restore.core.images.streaming import Format
    from restore.core.images.writer import ImageWriter
    from restore.core.method import Method
    from restore.core.networks import Networks
    from restore.core.settings import Settings

LONG = 60.0
"""Seconds of work from which on the expected time is told."""


class PredictCommands(LookupGroup):
    """What can be applied to images: runs, weights files, classical methods."""

    names_heading = "Available"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Yield the runs in ``runs/`` and the classical methods."""
        yield from list_models()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """Return the command of one run, weights file or classical method."""
        refuse_image(args[0], f"predict bicubic {shlex.quote(args[0])} --output out/")
        return args[0], predict_command(resolve_model(args[0]), args[1:]), args[1:]


def predict_command(model: ModelRef, arguments: list[str]) -> Any:
    """Make a command with the options of every prediction and those of the task.

    Args:
        model: what to apply.
        arguments: the command line after its name, to report errors with the flags as typed.
    """
    from restore.cli.task_options import PredictRequest, TaskOptions

    options = TaskOptions([model], "predict", PredictRequest, arguments)
    _refuse_fixed(model, arguments, {parameter.name for parameter in options.parameters})

    def run(inputs: list[str], **given: Any) -> None:
        request, (own,) = options.read(given)
        if "" in inputs:
            raise UsageError("INPUT: expected an image or a folder, got an empty string ('.' is the working directory)")
        predict(model, list(map(Path, inputs)), request, own)

    # Strings, since an empty one as a path would mean the working directory.
    inputs = Annotated[list[str], typer.Argument(metavar="INPUT", help="Image files, or folders of them.")]
    return make_command(
        model.name,
        run,
        [Parameter("inputs", Parameter.KEYWORD_ONLY, annotation=inputs), *options.parameters],
        usage="INPUT… --output DIR [OPTIONS]",
        help_text=f"Apply {model.name} ({model.entry.full_name}) to images.\n\n{model.entry.summary}",
    )


def _refuse_fixed(model: ModelRef, arguments: list[str], known: set[str]) -> None:
    """Raise UsageError for an option that these weights do not have because training has fixed its value."""
    settings = model.header.model if model.header is not None else {}
    for argument in arguments:
        flag, _, _ = argument.partition("=")
        name = flag.removeprefix("--").replace("-", "_")
        if flag.startswith("--") and name in settings and name not in known:
            raise UsageError(
                f"{flag}: {model.name} has {name}={settings[name]}, which training has fixed; leave {flag} out, or use "
                "other weights"
            )


def predict(model: ModelRef, inputs: Sequence[Path], request: PredictRequest, options: Settings | None) -> None:
    """Apply a model to images and folders of images.

    Results are files in the output folder, named after the images. An image that fails is reported, and the others
    are processed.

    Args:
        model: what to apply.
        inputs: image files, and folders of them.
        request: the options of the command.
        options: the task's own options.

    Raises:
        UsageError: something is wrong before the first image is read, or before a file is written that must not be.
        RestoreError: the only image failed, or some of several did; those are reported one by one.
    """
    from restore.cli.console.bar import open_bar
    from restore.cli.console.log_capture import print_log_warnings
    from restore.core.atomic import writable_folder
    from restore.core.inference.folding import fold_batch_norm
    from restore.core.networks import Networks
    from restore.core.runtime.devices import device_of
    from restore.core.runtime.precision import choose

    with print_log_warnings():
        images = expand_inputs(inputs)
    names = name_outputs(images)
    also_read = list(list_paths(options))
    refuse_output_folder(request.output, also_read)
    device = device_of(request.device)
    precision = choose(request.precision, device)
    with print_log_warnings(), open_bar() as bar:
        method, networks = model.open(predict=options)
        if isinstance(request.tile, int) and method.tiling.mode == "whole":
            raise UsageError(f"--tile {request.tile}: {model.name} needs the whole image at once; leave --tile out")
        jobs = list_jobs(images, names, request.frame)
        read = [*images, *also_read]
        stems = [job.name for job in jobs]
        outputs = _OutputFiles(request.output, stems, read, request.overwrite, request.output_format)
        outputs.reserve(method.always_renders)
        writable_folder(request.output)
        networks = Networks(fold_batch_norm(networks))  # once for all images
        prediction = _Prediction(method, networks, device, precision, request, outputs, jobs, bar)
        failed = [job for job in jobs if not prediction.attempt(job)]
    if failed:
        raise RestoreError(f"{len(failed)} of {len(jobs)} images could not be processed")


@dataclass(frozen=True)
class _Job:
    """One image to process."""

    path: Path
    name: str
    """Stem of its results."""
    frame: int | None = None
    """Index of a frame; None: the first, with a warning if there are more."""


def list_jobs(images: Sequence[Path], names: Mapping[Path, str], frame: str | int | None) -> list[_Job]:
    """Return the images to process: each file, or each frame of it.

    Args:
        images: image files.
        names: stem of the results of each.
        frame: ``all``, ``first``, the number of a frame from 1, or None.
    """
    from restore.core.images.frames import frame_count

    if not isinstance(frame, str) or frame == "first":
        index = 0 if frame == "first" else None if frame is None else int(frame) - 1
        return [_Job(path, names[path], index) for path in images]
    jobs = []
    for path in images:
        try:
            count = frame_count(path)
        except RestoreError:
            count = 1  # reported when it is processed
        width = len(str(count))
        stems = [names[path]] if count == 1 else [f"{names[path]}-{number:0{width}}" for number in range(1, count + 1)]
        jobs += [_Job(path, stem, number) for number, stem in enumerate(stems)]
    return jobs


@dataclass
class _OutputFiles:
    """The files that are written; none of them replaces what it must not."""

    folder: Path
    names: list[str]
    """Stems of the files, one for each image."""
    read: list[Path]
    """Files that are read meanwhile."""
    overwrite: bool
    kind: Format = "png"
    written: set[Path] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    """Parts of a result that are known so far: the image itself ("") and what a task renders besides."""

    def path(self, name: str, part: str) -> Path:
        """Return the file of one part of the result of an image."""
        suffix = {"png": "png", "tiff": "tif", "jpeg": "jpg"}[self.kind]
        return self.folder / f"{name}{f'-{part}' if part else ''}.{suffix}"

    def reserve(self, parts: Iterable[str]) -> None:
        """Raise OutputExists if a file of one of these parts must not be written, also for images that come later.

        What a task renders besides the image itself is known only after the first image.
        """
        new = sorted(set(parts) - self.parts)
        targets = {self.path(name, part) for name in self.names for part in new} - self.written
        refuse_overwrites(sorted(targets), self.read, self.overwrite)
        self.parts.update(new)


@dataclass
class _Prediction:
    """A model with everything that is the same for all images."""

    method: Method
    networks: Networks
    device: torch.device
    precision: str
    request: PredictRequest
    outputs: _OutputFiles
    jobs: list[_Job]
    bar: Bar
    announced: set[Path] = field(default_factory=set)
    """Images of which the expected time was told, if it is long."""

    def attempt(self, job: _Job) -> bool:
        """Process one image; return whether that succeeded, and report the error if not.

        The error of a single image is raised, and so is OutputExists, which concerns all of them.
        """
        path = job.path
        try:
            self._process(job)
        except OutputExists:
            raise
        except RestoreError as error:
            if len(self.jobs) == 1:
                raise
            message = str(error)
            print_error(message if message.startswith(str(path)) else f"{path}: {message}")
            return False
        except Exception as error:
            if len(self.jobs) == 1 or debug_enabled():
                raise
            first = (str(error).splitlines() or [""])[0]
            print_error(f"{path}: {type(error).__name__}: {first}\nThis is a bug. Try this image alone with --debug.")
            return False
        return True

    def _process(self, job: _Job) -> None:
        from restore.core.images.files import open_image
        from restore.core.images.writer import find_losses
        from restore.core.prediction import predict_to_files

        path, name = job.path, job.name
        image = open_image(path, job.frame)

        if lost := find_losses(self.request.output_format, image):
            print_warning(f"{path}: {self.request.output_format} results do not keep: {', '.join(lost)}")

        def open_file(part: str, rows: OutputImage, size: tuple[int, int]) -> ImageWriter:
            self.outputs.reserve([part])
            target = self.outputs.path(name, part)
            if target in self.outputs.written:
                raise UsageError(f"{path}: {target} was just written for another image")
            return rows.open_writer(
                target,
                size,
                image,
                self.request.output_format,
                self.request.quality,
                resize_alpha=self.method.resize_alpha_rows,
            )

        files = predict_to_files(
            self.method,
            self.networks,
            path,
            image,
            open_file,
            device=self.device,
            tile=None if self.request.tile == "off" else self.request.tile,
            precision=self.precision,
            notify=lambda message: print_warning(f"{path}: {message}"),
            progress=partial(self._show_progress, job, image.size, time.monotonic()),
        )
        for file in files:
            self.outputs.written.add(file.path)
            self.bar.print(f"{path} -> {file.path} ({file.width} x {file.height})")

    def _show_progress(self, job: _Job, size: tuple[int, int], began: float, done: int, total: int) -> None:
        """Move the bar; say before long work, when the first part of it is done, how long it will take."""
        seconds = (time.monotonic() - began) / done * total
        if job.path not in self.announced and done < total and seconds > LONG:
            self.bar.say(f"{job.path}: {size[1]} x {size[0]} pixels, about {format_duration(seconds)}")
        self.announced.add(job.path)
        what = job.path.name if done < total else f"writing {job.path.name}"
        self.bar.show(what, round(self.jobs.index(job) + done / total, 2), len(self.jobs))
