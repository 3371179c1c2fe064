"""``restore predict`` and ``restore evaluate``: their first argument decides the task, and the task brings flags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import Parameter
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from restore.cli.commands import FoundCommands, command
from restore.cli.subjects import Subject, subject, usable
from restore.core.errors import UsageError

if TYPE_CHECKING:
    from restore.cli.settings.flags import Flags
    from restore.cli.settings.setting import SettingPath
    from restore.core.settings import Settings

DEBUG_FLAG = "--debug"


class PredictCommands(FoundCommands):
    """What can repair pictures: runs, weights files, tasks without weights."""

    names_heading = "Found here"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Finished runs and tasks without weights."""
        yield from usable()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """The command of one run, weights file or task."""
        return args[0], predict_command(subject(args[0]), args[1:]), args[1:]


class EvaluateCommands(FoundCommands):
    """What can be measured; several at once for a table."""

    names_heading = "Found here"

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Finished runs and tasks without weights."""
        yield from usable()

    def find(self, args: list[str]) -> tuple[str, Any, list[str]]:
        """The command of all names that stand before the first option."""
        names = list(takewhile(lambda argument: not argument.startswith("-"), args))
        rest = args[len(names) :]
        return " ".join(names), evaluate_command([subject(name) for name in names], rest), rest


def predict_command(chosen: Subject, arguments: list[str]) -> Any:
    """A command with the options of every prediction and those of the task."""
    from restore.cli.requests import PredictRequest

    options = _TaskOptions([chosen], "predict", PredictRequest, arguments)

    def run(inputs: list[str], **given: Any) -> None:
        from restore.cli.predicting import predict
        from restore.cli.settings.families import check_plugin_defaults

        request = options.request(given)
        (own,) = options.of_tasks(given)
        check_plugin_defaults(chosen.entry.plugin)
        if "" in inputs:
            raise UsageError("INPUT: an empty word is no picture and no folder; '.' is the current one")
        predict(
            chosen.typed,
            list(map(Path, inputs)),
            request.output,
            tile=None if request.tile == "off" else request.tile,
            device=request.device,
            precision=request.precision,
            overwrite=request.overwrite,
            options=own,
        )

    # Words, since a path that is made of an empty one means the current folder.
    inputs = Annotated[list[str], typer.Argument(metavar="INPUT", help="Picture files, or folders of them.")]
    return command(
        chosen.typed,
        run,
        [Parameter("inputs", Parameter.KEYWORD_ONLY, annotation=inputs), *options.parameters()],
        usage="INPUT… --output DIR [OPTIONS]",
        help_text=f"Use {chosen.typed} ({chosen.entry.full_name}) on pictures.\n\n{chosen.entry.summary}",
    )


def evaluate_command(chosen: Sequence[Subject], arguments: list[str]) -> Any:
    """A command with the options of every measurement and those that all the tasks have."""
    from restore.cli.requests import EvaluateRequest

    options = _TaskOptions(chosen, "evaluate", EvaluateRequest, arguments)

    def run(more: list[str] | None, as_json: bool, **given: Any) -> None:
        from restore.cli.evaluating import evaluate
        from restore.cli.settings.families import check_plugin_defaults

        if more:
            raise UsageError(f"{more[0]} stands behind an option; name everything that is measured first, then options")
        request = options.request(given)
        for plugin in dict.fromkeys(each.entry.plugin for each in chosen):
            check_plugin_defaults(plugin)
        evaluate(
            [(each.typed, own) for each, own in zip(chosen, options.of_tasks(given), strict=True)],
            request.data,
            protocol=request.protocol,
            device=request.device,
            as_json=as_json,
        )

    names = ", ".join(each.typed for each in chosen)
    more = Annotated[list[str] | None, typer.Argument(hidden=True)]
    as_json = Annotated[
        bool, typer.Option("--json", help="Print one JSON object: the numbers of the set and of every picture.")
    ]
    return command(
        " ".join(each.typed for each in chosen),
        run,
        [
            Parameter("more", Parameter.KEYWORD_ONLY, default=None, annotation=more),
            *options.parameters(),
            Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=as_json),
        ],
        usage="[--data DIR] [OPTIONS]",
        help_text=f"Measure {names} on pictures.\n\n" + "\n\n".join(each.entry.summary for each in chosen),
    )


class _TaskOptions:
    """The flags of a command: its own, and those that every one of the tasks registered for it."""

    def __init__(
        self,
        chosen: Sequence[Subject],
        detail: Literal["predict", "evaluate"],
        own: type[Settings],
        arguments: list[str],
    ) -> None:
        from restore.cli.settings.families import blaming, settings_class
        from restore.cli.settings.flags import Flags
        from restore.core.settings import Settings

        self._arguments = arguments
        self._own = Flags(own, reserved=[DEBUG_FLAG], heading=lambda _: "")
        reserved = [DEBUG_FLAG, "--json", *(flag for path in self._own.settings for flag in self._own.flags(path))]
        models = [
            settings_class(each.entry, detail, Settings) if each.entry.details.get(detail) else Settings
            for each in chosen
        ]
        shared = _shared(models)
        heading = f"Options of {' and '.join(dict.fromkeys(each.entry.name for each in chosen))}"
        self._of_tasks: list[Flags] = []
        for each, model in zip(chosen, models, strict=True):
            with blaming(each.entry):
                flags = Flags(
                    model,
                    reserved=reserved,
                    heading=lambda setting: setting.heading or heading,
                    only=lambda setting: setting.path in shared,
                )
                flags.parameters()
            self._of_tasks.append(flags)
        _refuse_unshared(chosen, models, shared, arguments)

    def parameters(self) -> list[Parameter]:
        """Parameters of the command: the tasks' first."""
        debug = Annotated[bool, typer.Option(DEBUG_FLAG, help="Show the traceback of an error.")]
        return [
            *self._of_tasks[0].parameters(),
            *self._own.parameters(),
            Parameter("debug", Parameter.KEYWORD_ONLY, default=False, annotation=debug),
        ]

    def request(self, given: dict[str, Any]) -> Any:
        """The command's own settings."""
        return self._validated(self._own, given)

    def of_tasks(self, given: dict[str, Any]) -> list[Settings]:
        """The settings of each task in turn."""
        return [self._validated(flags, given) for flags in self._of_tasks]

    def _validated(self, flags: Flags, given: dict[str, Any]) -> Any:
        from restore.cli.settings.families import typed_layer
        from restore.cli.settings.layers import COMMAND_LINE, validated

        return validated(flags.model, [typed_layer(flags, given, self._arguments, COMMAND_LINE)])


def _shared(models: Sequence[type[Settings]]) -> set[SettingPath]:
    """Paths of the settings that all classes have, in the same type."""
    from restore.cli.settings.setting import settings_of

    kinds = [{setting.path: setting.kind for setting in settings_of(model)} for model in models]
    return {path for path, kind in kinds[0].items() if all(other.get(path) == kind for other in kinds[1:])}


def _refuse_unshared(
    chosen: Sequence[Subject], models: Sequence[type[Settings]], shared: set[SettingPath], arguments: Sequence[str]
) -> None:
    """Say whose an option is that not all of several tasks have."""
    from restore.cli.settings.setting import settings_of

    words = {argument.split("=", 1)[0] for argument in arguments}
    for each, model in zip(chosen, models, strict=True):
        for setting in settings_of(model):
            if setting.path not in shared and (typed := words & {setting.dotted_flag, *setting.short_flags}):
                raise UsageError(
                    f"{typed.pop()} is an option of {each.typed}, but not of everything that is measured; "
                    "measure it on its own"
                )
