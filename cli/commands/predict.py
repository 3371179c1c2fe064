"""``restore predict``: apply a run, a weights file or a classical method to image files."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from inspect import Parameter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restore.cli.console.durations import format_duration
from restore.cli.counting import count
from restore.cli.model_ref import ModelRef, list_models, refuse_image, resolve_model
from restore.cli.prediction.jobs import find_images, list_jobs, name_outputs
from restore.cli.prediction.output_files import OutputFiles, list_paths, refuse_output_folder
from restore.cli.prediction.pipes import open_pipes
from restore.cli.typer_groups import LookupGroup, make_command
from restore.core.errors import RestoreError, UsageError

if TYPE_CHECKING:
    from restore.cli.task_options import PredictRequest
    from restore.core.settings import Settings


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
    inputs = Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Image files, or folders of them; -: standard input.")
    ]
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
            typed = argument.partition("=")[2] or dict(pairwise(arguments)).get(argument, "N")
            resize = f", or resize the results with --output-scale {typed}" if name == "scale" else ""
            raise UsageError(
                f"{flag}: {model.name} has {name}={settings[name]}, which training has fixed; leave {flag} out, use "
                f"other weights{resize}"
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
    from restore.cli.prediction.running import Prediction
    from restore.core.images.resizing import OutputSize
    from restore.core.inference.folding import fold_batch_norm
    from restore.core.inference.self_ensemble import with_self_ensemble
    from restore.core.networks import Networks
    from restore.core.runtime.devices import device_of
    from restore.core.runtime.precision import choose

    began = time.monotonic()
    with open_bar() as bar, open_pipes(inputs, request.output) as pipes:
        output = pipes.output
        with print_log_warnings(lambda message: bar.warn(pipes.rename(message))):
            found = find_images(pipes.inputs, recursive=request.recursive, output=output)
            names = name_outputs(found.folders)
            also_read = list(list_paths(options))
            refuse_output_folder(output, also_read)
            device = device_of(request.device)
            precision = choose(request.precision, device)
            method, networks = model.open(predict=options)
            if isinstance(request.tile, int) and method.tiling.mode == "whole":
                raise UsageError(f"--tile {request.tile}: {model.name} needs the whole image at once; leave --tile out")
            if request.self_ensemble:
                method = with_self_ensemble(method)
            jobs = list_jobs(names, request.frame, pipes.rename)
            if pipes.to_standard_output and len(jobs) > 1:
                raise UsageError(f"--output -: standard output takes one image, not {len(jobs)}; name a folder")
            read = [*found.folders, *also_read]
            outputs = OutputFiles(
                output, jobs, read, request.overwrite, request.output_format, single=pipes.to_standard_output
            )
            skipped = outputs.skip_existing(method.always_renders) if request.skip_existing else 0
            outputs.reserve(method.always_renders)
            outputs.make_folders()
            networks = Networks(fold_batch_norm(networks))  # once for all images
            size = OutputSize(request.output_scale, request.box)
            prediction = Prediction(method, networks, device, precision, request, outputs, bar, size)
            failed = [job for job in outputs.jobs if not prediction.attempt(job)]
        if len(jobs) > 1 or skipped:
            written = len(outputs.jobs) - len(failed)
            bar.say(_summarize(request, written, skipped, len(failed), found.hidden, time.monotonic() - began))
        if failed:
            raise RestoreError(f"{len(failed)} of {len(jobs)} images could not be processed")


def _summarize(request: PredictRequest, written: int, skipped: int, failed: int, hidden: int, seconds: float) -> str:
    """Return the last line about the work: what became of the images."""
    parts = [f"{count(written, 'image')} written to {request.output}"]
    if request.skip_existing:
        parts.append(f"{skipped} skipped because {'its result exists' if skipped == 1 else 'their results exist'}")
    if failed:
        parts.append(f"{failed} failed")
    if hidden:
        parts.append(f"{count(hidden, 'hidden or system file')} left out")
    return f"{', '.join(parts)}; {format_duration(seconds)}"
