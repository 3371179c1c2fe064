"""``restore train TASK``: a command for each task, made from its settings."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restore import registry
from restore.cli.commands import FoundCommands, command
from restore.cli.outcome import complain, debugging
from restore.cli.subjects import trainable_tasks
from restore.cli.suggestions import did_you_mean
from restore.core.errors import Interrupted, ProcessFailed, UsageError
from restore.core.machine.processes import how_many, is_main_process, launched

if TYPE_CHECKING:
    from restore.cli.screen.progress import Progress

OWN_FLAGS = ("--config", "--resume", "--print-config", "--num-processes", "--debug")


class TrainCommands(FoundCommands):
    """The tasks that can be trained."""

    names_heading = "Tasks"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Every task that learns something."""
        yield from trainable_tasks()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """The command of a task."""
        try:
            entry = registry.entry("tasks", args[0])
        except registry.UnknownName as error:
            known = [name for name, _ in trainable_tasks()]
            hint = did_you_mean(args[0], known) or f" There are: {', '.join(known)}"
            raise UsageError(f"there is no task '{args[0]}' to train.{hint}") from error
        return args[0], train_command(entry, args[1:]), args[1:]


def train_command(entry: registry.Entry, arguments: list[str]) -> Any:
    """A command whose flags are a task's settings.

    Args:
        entry: the task.
        arguments: what stands behind its name, to report errors in the words that were typed.
    """
    from restore.cli.settings import families
    from restore.cli.settings.flags import Flags
    from restore.cli.settings.layers import COMMAND_LINE
    from restore.cli.settings.setting import Setting
    from restore.core.settings import RunSettings

    if not entry.details.get("weights", True):
        raise UsageError(
            f"{entry.name} is a fixed method with nothing to train. Use it: "
            f"restore predict {entry.name} photo.jpg --output out/"
        )
    model = families.settings_class(entry, "settings", RunSettings)
    presets = families.plugin_layer(entry, model)

    def heading(setting: Setting) -> str:
        if setting.heading:
            return setting.heading
        return "Run" if setting.path[0] in RunSettings.model_fields else f"Settings of {entry.name}"

    with families.blaming(entry):
        flags = Flags(model, presets=families.preset_defaults(presets), reserved=OWN_FLAGS, heading=heading)
        parameters = flags.parameters()

    def run(
        config: Path | None,
        resume: Path | None,
        print_config: bool,
        num_processes: int | None,
        debug: bool,  # noqa: ARG001 - the root of the command line has seen to it
        **given: Any,
    ) -> None:
        from restore.cli.settings.of_run import configuration, settings_of_run

        typed = families.typed_layer(flags, given, arguments, COMMAND_LINE)
        settings, layers = settings_of_run(entry, model, presets, config, resume, typed)
        if is_main_process() and not launched():
            for warning in registry.project().warnings:
                complain(warning, prefix="Warning: ")
        if print_config:
            typer.echo(configuration(settings, layers), nl=False)
        elif num_processes is not None and num_processes > 1 and not launched():
            train_in_processes(num_processes, settings.device)
        else:
            train(entry, settings, resume)

    return command(
        entry.name,
        run,
        [*_own_parameters(), *parameters],
        help_text=families.help_text(entry, model),
        epilog="A value is taken from the command line, else from --config, else from plugins.toml, else its default. "
        "'none' clears one that may be unset; a file of that name is ./none.",
    )


def _own_parameters() -> list[Parameter]:
    options: dict[str, Any] = {
        "config": Annotated[
            Path | None, typer.Option("--config", metavar="FILE", help="Settings from a YAML or TOML file.")
        ],
        "resume": Annotated[
            Path | None,
            typer.Option("--resume", metavar="RUN", help="Go on with a run from its last checkpoint."),
        ],
        "print_config": Annotated[
            bool,
            typer.Option("--print-config", help="Print all settings as YAML and where they are from; train nothing."),
        ],
        "num_processes": Annotated[
            int | None,
            typer.Option(
                "--num-processes",
                metavar="N",
                min=1,
                help="Train in N processes on this machine, one for each GPU, which share each batch equally.",
            ),
        ],
        "debug": Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")],
    }
    return [
        Parameter(
            name, Parameter.KEYWORD_ONLY, default=False if "bool" in str(annotation) else None, annotation=annotation
        )
        for name, annotation in options.items()
    ]


def train(entry: registry.Entry, settings: Any, resume: Path | None) -> None:
    """Train, and show how it goes; of several processes the main one does the talking."""
    from restore.cli.examples import prediction
    from restore.cli.screen.progress import shown_progress
    from restore.cli.screen.warnings_of_families import warnings_told
    from restore.core.machine.accelerator import main_process_first
    from restore.core.training.trainer import Trainer

    task_type = entry.load()
    with warnings_told(*([] if is_main_process() else [_keep_quiet])), main_process_first(settings):
        if resume is None:
            settings = settings.decided()
        task = task_type(settings)
    quiet = None if is_main_process() else io.StringIO()
    with shown_progress(quiet) as progress:
        progress.report.example = prediction(entry, task)
        tell = progress.warn if is_main_process() else _keep_quiet
        with warnings_told(tell), _how_to_go_on(entry.name, progress):
            Trainer(task, settings, name=entry.full_name, listeners=[progress], resume=resume).fit()


@contextmanager
def _how_to_go_on(task: str, progress: Progress) -> Iterator[None]:
    """Say how to go on with a run that ended too early, if anything of it is saved."""
    from restore.cli.screen.progress import resume_line

    try:
        yield
    except Interrupted as stopped:
        line = resume_line(task, stopped.folder)
        raise Interrupted(f"Interrupted: {stopped}.\nGo on with: {line}", stopped.folder) from None
    except (Exception, KeyboardInterrupt) as error:
        if progress.folder is None or progress.saved_step is None:
            raise
        saved = f"Everything up to step {progress.saved_step} is saved. Go on with: "
        saved += resume_line(task, progress.folder)
        if isinstance(error, KeyboardInterrupt):  # the second Ctrl-C, which does not wait
            raise Interrupted(f"Interrupted.\n{saved}", progress.folder) from None
        error.add_note(saved)
        raise


def train_in_processes(processes: int, device: str) -> None:
    """Type the same command in several processes at once; whatever they fail of is said once."""
    from restore.core.machine.launching import launch

    if how_many() > 1:
        raise UsageError("--num-processes is for a single process to start others; here several are running already")
    _check_devices(processes, device)
    command = [sys.executable, "-m", "restore.cli", *sys.argv[1:], *(["--debug"] if debugging() else [])]
    ended = launch(command, processes)
    if ended.status:
        message = ended.message or (
            f"process {ended.rank} of {processes} was ended from outside, perhaps for lack of memory; "
            "the run can be resumed from its last checkpoint"
        )
        raise ProcessFailed(message, ended.status)


def _check_devices(processes: int, device: str) -> None:
    if device in ("auto", "cuda"):
        import torch

        if torch.cuda.is_available() and torch.cuda.device_count() < processes:
            raise UsageError(
                f"--num-processes {processes}: each process needs a GPU, and there are {torch.cuda.device_count()}"
            )


def _keep_quiet(message: str) -> None:  # noqa: ARG001
    return
