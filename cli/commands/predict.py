"""``restore predict``: apply a run, a weights file or a classical method to image files."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter
from itertools import pairwise, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restore.cli.model_ref import ModelRef, list_models, refuse_image, resolve_model
from restore.cli.prediction.pipes import open_pipes
from restore.cli.typer_groups import LookupGroup, make_command
from restore.core.errors import RestoreError, UsageError

if TYPE_CHECKING:
    from restore.cli.command_line import CommandLine
    from restore.cli.prediction.output_files import OutputFiles
    from restore.cli.task_options import PredictRequest
    from restore.core.runtime.worker_pool import Channel
    from restore.core.settings import Settings


class PredictCommands(LookupGroup):
    """What can be applied to images: runs, weights files, classical methods."""

    names_heading = "Available"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Yield the runs in ``runs/`` and the classical methods."""
        yield from list_models()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """Return the command of one run, weights file or classical method, or of several to compare."""
        refuse_image(args[0], f"predict bicubic {shlex.quote(args[0])} --output out/")
        several = "--compare" in args[: args.index("--") if "--" in args else None]
        names = args[: 1 + sum(1 for _ in takewhile(_names_model, args[1:]))] if several else args[:1]
        rest = args[len(names) :]
        return " ".join(names), predict_command([resolve_model(name) for name in names], rest), rest


def _names_model(word: str) -> bool:
    """Return whether a word after the first is another model rather than an image or an option."""
    from restore.core.images.listing import SUFFIXES

    path = Path(word)
    if word.startswith("-") or path.suffix.lower() in SUFFIXES:
        return False
    return not path.is_dir() or (path / "config.yaml").exists() or any(path.glob("*.safetensors"))


def predict_command(models: Sequence[ModelRef], arguments: list[str], then: Callable[..., None] | None = None) -> Any:
    """Make a command with the options of every prediction and those of the tasks.

    Args:
        models: what to apply; several only to compare them.
        arguments: the command line after their names, to report errors with the flags as typed.
        then: what is called with the arguments of `predict`; None: that.
    """
    from restore.cli.task_options import PredictRequest, TaskOptions

    arguments = list(arguments)  # Typer takes words off the list that it reads
    options = TaskOptions(models, "predict", PredictRequest, arguments)
    for model in models:
        _refuse_fixed(model, arguments, {parameter.name for parameter in options.parameters})

    def run(inputs: list[str], **given: Any) -> None:
        request, own = options.read(given)
        if "" in inputs:
            raise UsageError("INPUT: expected an image or a folder, got an empty string ('.' is the working directory)")
        for word in inputs:
            _refuse_model(word)
        (then or predict)(models, list(map(Path, inputs)), request, own, arguments)

    names = " ".join(model.name for model in models)
    about = "\n\n".join(dict.fromkeys(model.entry.summary for model in models))
    tasks = ", ".join(dict.fromkeys(model.entry.full_name for model in models))
    # Strings, since an empty one as a path would mean the working directory.
    place = typer.Argument(metavar="INPUT", help="Image files, or folders of them; -: standard input.")
    return make_command(
        names,
        run,
        [Parameter("inputs", Parameter.KEYWORD_ONLY, annotation=Annotated[list[str], place]), *options.parameters],
        usage="INPUT… --output DIR [OPTIONS]",
        help_text=f"Apply {names} ({tasks}) to images.\n\n{about}",
    )


def _refuse_model(word: str) -> None:
    """Raise UsageError if an input is a run or the name of a model, where only one is expected."""
    path = Path(word)
    is_run = path.is_dir() and (path / "config.yaml").exists()
    if is_run or (not path.exists() and word in dict(list_models())):
        what = "a run" if is_run else "a model"
        raise UsageError(
            f"{word} is {what}, not an image; to apply several models, give all of them first and add --compare"
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


def predict(
    models: Sequence[ModelRef],
    inputs: Sequence[Path],
    request: PredictRequest,
    options: Sequence[Settings | None],
    arguments: Sequence[str],
) -> None:
    """Apply a model to images and folders of images, or several to compare them.

    Results are files in the output folder, named after the images. An image that fails is reported, and the others
    are processed.

    Args:
        models: what to apply; several only to compare them.
        inputs: image files, and folders of them.
        request: the options of the command.
        options: the task's own options of each model.
        arguments: the command line after their names, for other processes.

    Raises:
        UsageError: something is wrong before the first image is read, or before a file is written that must not be.
        RestoreError: the only image failed, or some of several did; those are reported one by one.
    """
    from restore.cli.command_line import CommandLine
    from restore.cli.console.bar import open_bar
    from restore.cli.console.log_capture import print_log_warnings
    from restore.cli.prediction.applying import prepare
    from restore.cli.prediction.comparison import compare

    command = CommandLine(serve, [model.name for model in models], arguments)
    with open_bar() as bar, open_pipes(inputs, request.output) as pipes:
        with print_log_warnings(lambda message: bar.warn(pipes.rename(message))):
            if request.compare:
                compare(models, options, pipes, request, bar, command)
                return
            applied = prepare(models[0], options[0], pipes, pipes.output, request, bar)
            applied.run(command, bar)
        if len(applied.jobs) > 1 or applied.skipped:
            bar.say(applied.summarize())
        if applied.failed:
            raise RestoreError(f"{len(applied.failed)} of {len(applied.jobs)} images could not be processed")


def serve(channel: Channel, command: CommandLine, outputs: OutputFiles) -> None:
    """Work in a process of its own: read the command line again, then process what the parent hands out."""
    from restore.cli.prediction.workers import serve_predictions

    def work(
        models: Sequence[ModelRef],
        _: Sequence[Path],  # the parent has listed them
        request: PredictRequest,
        options: Sequence[Settings | None],
        __: Sequence[str],
    ) -> None:
        serve_predictions(channel, models[command.model], options[command.model], request, outputs)

    arguments = list(command.arguments)
    parsed = predict_command([resolve_model(name) for name in command.names], arguments, work)
    parsed.main(args=arguments, prog_name="restore predict", standalone_mode=False)
