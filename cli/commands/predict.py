"""``restore predict``: apply a run, a weights file or a classical method to image files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
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
from restore.cli.exit import print_error, print_warning
from restore.cli.model_ref import ModelRef, list_models, resolve_model
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


class PredictCommands(LookupGroup):
    """What can be applied to images: runs, weights files, classical methods."""

    names_heading = "Available"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Yield the runs in ``runs/`` and the classical methods."""
        yield from list_models()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """Return the command of one run, weights file or classical method."""
        return args[0], predict_command(resolve_model(args[0]), args[1:]), args[1:]


def predict_command(model: ModelRef, arguments: list[str]) -> Any:
    """Make a command with the options of every prediction and those of the task.

    Args:
        model: what to apply.
        arguments: the command line after its name, to report errors with the flags as typed.
    """
    from restore.cli.task_options import PredictRequest, TaskOptions

    options = TaskOptions([model], "predict", PredictRequest, arguments)

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
        read = [*images, *also_read]
        outputs = _OutputFiles(request.output, list(names.values()), read, request.overwrite, request.output_format)
        outputs.reserve(method.always_renders)
        writable_folder(request.output)
        networks = Networks(fold_batch_norm(networks))  # once for all images
        prediction = _Prediction(method, networks, device, precision, request, outputs, images, bar)
        failed = [path for path in images if not prediction.attempt(path, names[path])]
    if failed:
        raise RestoreError(f"{len(failed)} of {len(images)} images could not be processed")


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
    images: list[Path]
    bar: Bar

    def attempt(self, path: Path, name: str) -> bool:
        """Process one image; return whether that succeeded, and report the error if not.

        The error of a single image is raised, and so is OutputExists, which concerns all of them.
        """
        try:
            self._process(path, name)
        except OutputExists:
            raise
        except RestoreError as error:
            if len(self.images) == 1:
                raise
            message = str(error)
            print_error(message if message.startswith(str(path)) else f"{path}: {message}")
            return False
        return True

    def _process(self, path: Path, name: str) -> None:
        from restore.core.images.files import open_image
        from restore.core.images.writer import find_losses
        from restore.core.prediction import predict_to_files

        image = open_image(path)

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
            progress=lambda done, total: self._show_progress(path, done / total),
        )
        for file in files:
            self.outputs.written.add(file.path)
            self.bar.print(f"{path} -> {file.path} ({file.width} x {file.height})")

    def _show_progress(self, path: Path, fraction: float) -> None:
        self.bar.show(path.name, round(self.images.index(path) + fraction, 2), len(self.images))
