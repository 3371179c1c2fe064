"""``restore train TASK``: one command for each task, made from its settings."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restore import registry
from restore.cli.exit import DEBUG_FLAG, debug_enabled, print_warning
from restore.cli.model_ref import list_trainable_tasks, needs_training
from restore.cli.typer_groups import LookupGroup, make_command
from restore.core.errors import Interrupted, NothingToTrain, ProcessFailed, UsageError
from restore.core.runtime.processes import how_many, is_launched, is_main_process, refuse_unequal_shares
from restore.core.versions import advise_installation
from restore.registry.naming import did_you_mean

if TYPE_CHECKING:
    from restore.cli.console.progress import Progress
    from restore.cli.settings.flags import Flags
    from restore.cli.settings.listeners import Chosen
    from restore.cli.settings.setting import Setting
    from restore.cli.settings.sources import Source
    from restore.core.events import Listener
    from restore.core.settings import RunSettings

EPILOG = (
    "Precedence: command line > --config > plugins.toml > defaults. "
    "'none' clears a setting that may be unset, or a list; a file of that name is ./none."
)

OPTIONS: dict[str, tuple[Any, Any]] = {
    "config": (
        Path | None,
        typer.Option("--config", metavar="FILE|RECIPE", help="Read settings from a YAML or TOML file, or a recipe."),
    ),
    "resume": (Path | None, typer.Option("--resume", metavar="RUN", help="Resume a run from its last checkpoint.")),
    "print_config": (
        bool,
        typer.Option("--print-config", help="Print all settings as YAML with their origin, and do not train."),
    ),
    "num_processes": (
        int | None,
        typer.Option(
            "--num-processes",
            metavar="N",
            min=1,
            help="Train in N processes on this machine, one per GPU, which split each batch equally.",
        ),
    ),
    "debug": (bool, typer.Option(DEBUG_FLAG, help="Show the traceback of an error.")),
}
"""The command's own options by parameter, each with its type."""


class TrainCommands(LookupGroup):
    """The tasks that can be trained."""

    names_heading = "Tasks"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Yield every task that can be trained."""
        yield from list_trainable_tasks()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """Return the command of a task."""
        try:
            entry = registry.entry("tasks", args[0])
        except registry.UnknownName as error:
            known = [name for name, _ in list_trainable_tasks()]
            hint = did_you_mean(args[0], known) or f"; available: {', '.join(known)}"
            advice = [error.unusable, _advise_for_resume(args)]
            raise UsageError("\n".join(filter(None, [f"no task '{args[0]}' to train{hint}", *advice]))) from error
        return args[0], train_command(entry, args[1:]), args[1:]


def _advise_for_resume(args: list[str]) -> str:
    """Return how to install what a run needs that ``--resume RUN`` names; empty if nothing is missing."""
    from restore.cli.settings.sources import find_typed
    from restore.core.runs.folder import read_plugins

    for value in find_typed(args, "--resume")[-1:]:
        with suppress(UsageError):
            return advise_installation(read_plugins(Path(value)))
    return ""


def train_command(entry: registry.Entry, arguments: list[str]) -> Any:
    """Make a command whose flags are the settings of a task.

    Args:
        entry: the task.
        arguments: the command line after its name, to report errors with the flags as typed.
    """
    from restore.cli.settings.listeners import ListenerFlags, choose_listeners
    from restore.cli.settings.specialize import find_names, specialize
    from restore.cli.settings.task_settings import format_help, load_settings_class, plugin_errors, read_plugin_defaults
    from restore.core.settings import RunSettings

    if not needs_training(entry):
        raise NothingToTrain(entry.name)
    model = load_settings_class(entry, "settings", RunSettings)
    with plugin_errors(entry):
        model = specialize(model, find_names(entry, model, arguments))
    presets = read_plugin_defaults(entry, model)
    reserved = [f"--{name.replace('_', '-')}" for name in OPTIONS]
    with plugin_errors(entry):
        flags = _make_flags(entry, model, presets, reserved, show_registered=bool({"--help", "-h"} & set(arguments)))
        parameters = flags.parameters()
    listener_flags = ListenerFlags(arguments, presets, [*reserved, *flags.all_flags()])

    def run(
        config: Path | None,
        resume: Path | None,
        print_config: bool,
        num_processes: int | None,
        debug: bool,  # noqa: ARG001 - handled by the root of the command line
        **given: Any,
    ) -> None:
        from restore.cli.settings.registered_names import find_needed_plugins
        from restore.cli.settings.run_settings import format_config, load_run_settings

        typed = flags.source(given, arguments)
        settings, sources = load_run_settings(entry, model, presets, config, resume, typed)
        plugins = find_needed_plugins(entry, settings, sources)
        listeners, settings = choose_listeners(settings, sources, listener_flags.sources(given))
        if is_main_process() and not is_launched():
            for warning in registry.project().warnings:
                print_warning(warning)
        if print_config:
            typer.echo(format_config(settings, sources), nl=False)
        elif num_processes is not None and num_processes > 1 and not is_launched():
            train_in_processes(num_processes, settings)
        else:
            train(entry, settings, resume, plugins, listeners)

    own = [
        Parameter(
            name, Parameter.KEYWORD_ONLY, default=False if kind is bool else None, annotation=Annotated[kind, option]
        )
        for name, (kind, option) in OPTIONS.items()
    ]
    every = [*own, *parameters, *listener_flags.parameters()]
    return make_command(entry.name, run, every, help_text=format_help(entry, model), epilog=EPILOG)


def _make_flags(
    entry: registry.Entry, model: type[RunSettings], presets: Source, reserved: list[str], *, show_registered: bool
) -> Flags:
    """Return the flags of a task's settings, under the headings of the help."""
    from restore.cli.settings.flags import Flags
    from restore.core.settings import RunSettings

    of_every_run = set(RunSettings.model_fields) - {"model"}

    def heading(setting: Setting) -> str:
        return setting.heading or ("Run" if setting.path[0] in of_every_run else f"Settings of {entry.name}")

    return Flags(model, presets=presets, reserved=reserved, heading=heading, show_registered=show_registered)


def train(
    entry: registry.Entry,
    settings: Any,
    resume: Path | None,
    plugins: Mapping[str, str | None],
    listeners: Sequence[Chosen] = (),
) -> None:
    """Train and show the progress; with several processes only the main one prints.

    Args:
        entry: the task.
        settings: its settings.
        resume: run folder to resume, if any.
        plugins: the requirement of every plugin that the networks need.
        listeners: the listeners of the run, besides the one that shows the progress.
    """
    from restore.cli.console import show_progress
    from restore.cli.console.log_capture import print_log_warnings
    from restore.cli.console.next_steps import format_prediction
    from restore.cli.settings.listeners import make_listener
    from restore.cli.settings.registered_metrics import find_metric
    from restore.core.runtime.accelerator import end_process_group
    from restore.core.training.trainer import Trainer

    main = is_main_process()
    task_type = entry.load()
    told = [make_listener(chosen) for chosen in listeners] if main else []
    with (
        show_progress(None if main else io.StringIO(), example=partial(format_prediction, entry)) as progress,
        print_log_warnings(progress.warn if main else _ignore),
        _resume_hint(entry.name, progress),
    ):
        everyone: list[Listener] = [progress, *told]
        Trainer(
            task_type,
            settings,
            name=entry.full_name,
            plugins=plugins,
            listeners=everyone,
            find_metric=find_metric,
            resume=resume,
        ).fit()
        end_process_group()


@contextmanager
def _resume_hint(task: str, progress: Progress) -> Iterator[None]:
    """Add the command that resumes the run to an error that ends it, if a checkpoint was saved."""
    from restore.cli.console.next_steps import format_resume

    try:
        yield
    except Interrupted as stopped:
        line = format_resume(task, stopped.folder)
        raise Interrupted(f"Interrupted: {stopped}.\nResume with: {line}", stopped.folder) from None
    except (Exception, KeyboardInterrupt) as error:
        if progress.folder is None or progress.saved_step is None:
            raise
        saved = f"Everything up to step {progress.saved_step} is saved. Resume with: "
        saved += format_resume(task, progress.folder)
        if isinstance(error, KeyboardInterrupt):  # the second Ctrl-C, which does not wait
            raise Interrupted(f"Interrupted.\n{saved}", progress.folder) from None
        error.add_note(saved)
        raise


def train_in_processes(processes: int, settings: RunSettings) -> None:
    """Run the same command line in several processes at once, and report the first failure once.

    Args:
        processes: how many.
        settings: the settings of the run, which are checked before a process is started.

    Raises:
        UsageError: this is already one of several processes, there are fewer GPUs than processes, or they cannot share
            a batch equally.
        ProcessFailed: one of the processes failed.
    """
    from restore.core.runtime.launching import launch

    if how_many() > 1:
        raise UsageError("--num-processes starts processes itself; leave it out, since several are running already")
    refuse_unequal_shares(settings.batch_size, settings.accumulate, processes)
    if settings.device in ("auto", "cuda"):
        import torch

        if torch.cuda.is_available() and torch.cuda.device_count() < processes:
            raise UsageError(
                f"--num-processes {processes}: each process needs a GPU (available: {torch.cuda.device_count()})"
            )
    command = [sys.executable, "-m", "restore.cli", *sys.argv[1:], *([DEBUG_FLAG] if debug_enabled() else [])]
    ended = launch(command, processes)
    if ended.status:
        message = ended.message or (
            f"process {ended.rank} of {processes} was killed from outside, possibly for lack of memory; "
            "the run can be resumed from its last checkpoint"
        )
        raise ProcessFailed(message, ended.status)


def _ignore(message: str) -> None:
    """Drop a warning that the main process prints."""
