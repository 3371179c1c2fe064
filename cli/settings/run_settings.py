"""The settings of a run: merged from all sources for a new run, read from its folder for a resumed one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from restore import registry
from restore.cli.settings.file import dump_yaml, find_settings_file, read_settings
from restore.cli.settings.sources import Source, explain, find_origins, make_source, merge, validate
from restore.core.errors import UsageError
from restore.core.runs.folder import read_config, read_plugins, read_task
from restore.core.runs.resuming import merge_settings
from restore.core.versions import advise_installation


def load_run_settings(
    entry: registry.Entry, model: Any, presets: Source, config: Path | None, resume: Path | None, typed: Source
) -> tuple[Any, list[Source]]:
    """Return the settings of a run and the sources that they came from.

    Args:
        entry: the task.
        model: its settings class.
        presets: defaults from plugins.toml.
        config: file given with ``--config``.
        resume: run folder given with ``--resume``.
        typed: what was typed on the command line.

    Raises:
        UsageError: the settings are invalid, or the run cannot be resumed with them.
    """
    if resume is None:
        if config is None:
            return validate(model, [presets, typed]), [presets, typed]
        file = find_settings_file(config, entry.full_name)
        sources = [presets, make_source(read_settings(file), model, str(config)), typed]
        return validate(model, sources), sources
    if config is not None:
        raise UsageError("--config and --resume exclude each other: a resumed run keeps its own settings")
    settings = _load_resumed_settings(entry, model, resume, typed)
    written = resume / "config.yaml"
    return settings, [make_source(read_settings(written), model, str(written)), typed]


def _load_resumed_settings(entry: registry.Entry, model: Any, run: Path, typed: Source) -> Any:
    """Return the settings of a run with what was typed on top.

    Raises ``UsageError`` if the run is of another task, or if a change is not allowed on resume.
    """
    task = read_task(run)
    if registry.entry("tasks", task).full_name != entry.full_name:
        name = task.rpartition("/")[2]
        raise UsageError(
            f"{run} is a run of {task}, not of {entry.full_name}: restore train {name} --resume {shlex.quote(str(run))}"
        )
    try:
        return merge_settings(model, run, merge([typed]))
    except ValidationError as error:
        own = Source(str(run / "config.yaml"), {(name,): value for name, value in read_config(run).items()})
        advice = advise_installation(read_plugins(run))  # a name may be of a plugin that is not installed here
        raise UsageError("\n".join(filter(None, [explain(error, model, [own, typed]), advice]))) from None


def format_config(settings: Any, sources: list[Source]) -> str:
    """Return all settings as YAML; a comment gives the origin of those that are not defaults."""
    origins = find_origins(sources)
    return dump_yaml(settings, lambda path: f"from {origins[path]}" if path in origins else None)
