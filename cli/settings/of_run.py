"""The settings of a run: laid over each other where it begins, its own where it goes on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from restore import registry
from restore.cli.settings.file import as_yaml, read_settings
from restore.cli.settings.layers import Layer, explained, layer, nested_values, origins, validated
from restore.core.errors import UsageError
from restore.core.records.folder import read_config, read_task
from restore.core.records.resuming import merged


def settings_of_run(
    entry: registry.Entry, model: Any, presets: Layer, config: Path | None, resume: Path | None, typed: Layer
) -> tuple[Any, list[Layer]]:
    """The settings of a run and the layers that they came from: its own where it goes on, else laid over each other.

    Raises ``UsageError`` for settings that cannot be used.
    """
    if resume is None:
        layers = [presets, *([layer(read_settings(config), model, str(config))] if config else []), typed]
        return validated(model, layers), layers
    if config is not None:
        raise UsageError("--config and --resume exclude each other: a resumed run keeps its own settings")
    settings = resumed_settings(entry, model, resume, typed)
    written = resume / "config.yaml"
    return settings, [layer(read_settings(written), model, str(written)), typed]


def resumed_settings(entry: registry.Entry, model: Any, run: Path, typed: Any) -> Any:
    """The settings of a run that goes on, with what was typed laid over them.

    Raises ``UsageError`` where the run is of another task, or a change would make it another run.
    """
    task = read_task(run)
    if registry.entry("tasks", task).full_name != entry.full_name:
        name = task.rpartition("/")[2]
        raise UsageError(
            f"{run} is a run of {task}, not of {entry.full_name}: restore train {name} --resume {shlex.quote(str(run))}"
        )
    try:
        return merged(model, run, nested_values([typed]))
    except ValidationError as error:
        own = Layer(str(run / "config.yaml"), {(name,): value for name, value in read_config(run).items()})
        raise UsageError(explained(error, model, [own, typed])) from None


def configuration(settings: Any, layers: list[Any]) -> str:
    """All settings as YAML; those that are no default say where they are from."""
    came_from = origins(layers)

    def comment(path: tuple[str, ...]) -> str | None:
        return f"from {came_from[path]}" if path in came_from else None

    return as_yaml(settings, comment)
