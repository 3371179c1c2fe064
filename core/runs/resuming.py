"""Settings of a resumed run: its own, with resume-safe changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from restore.core.errors import ResumeError
from restore.core.runs.folder import read_config, read_version
from restore.core.settings import ResumeSafe, RunSettings, Settings, overlay
from restore.core.versions import find_version

_LISTED = 6  # names of settings in a message

R = TypeVar("R", bound=RunSettings)


def merge_settings(settings_type: type[R], run: Path, typed: Mapping[str, Any]) -> R:
    """Merge new values into the settings of a run.

    Args:
        settings_type: the settings class of the run's task.
        run: the run folder.
        typed: new values as a tree: ``{"optimizer": {"lr": 1e-3}}``.

    Raises:
        ResumeError: a change is not resume-safe, and the message lists every refused change; or the config of the run
            is truncated.
        pydantic.ValidationError: a new value is invalid.
    """
    config = read_config(run)
    old = settings_type.model_validate(config)
    _refuse_incomplete(run, config, old)
    new = settings_type.model_validate(overlay(config, typed))
    refused = [change for change in changes(old, new) if not (change.allowed or _means_the_same(change))]
    if refused:
        lines = "\n".join(f"  {change}" for change in refused)
        raise ResumeError(
            f"--resume {run}: these settings cannot change on resume:\n{lines}\n"
            f"Leave them out, or start a new run: restore train TASK --config {run / 'config.yaml'} …"
        )
    kept = {change.path[0] for change in changes(old, new) if change.allowed}
    return old.model_copy(update={name: getattr(new, name) for name in kept})


def _refuse_incomplete(run: Path, config: Mapping[str, Any], settings: RunSettings) -> None:
    """Raise ResumeError if a config that this version wrote lacks settings: defaults would silently replace them."""
    missing = list(_missing(settings.model_dump(mode="json"), config))
    if missing and read_version(run) == find_version("restorekit"):
        more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
        raise ResumeError(
            f"{run / 'config.yaml'} is truncated: it lacks {', '.join(missing[:_LISTED])}{more}. Restore the file from "
            "a copy, or start a new run with --init-from RUN/checkpoints"
        )


def _missing(settings: Mapping[str, Any], config: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the names of settings that a config does not have."""
    for name, value in settings.items():
        if name not in config:
            yield f"{prefix}{name}"
        elif isinstance(value, Mapping) and isinstance(config[name], Mapping):
            yield from _missing(value, config[name], f"{prefix}{name}.")


def _means_the_same(change: Change) -> bool:
    """Return whether the two values are paths to one place. The folder given as ``init_from`` stands for its file."""
    if not (isinstance(change.before, Path) and isinstance(change.after, Path)):
        return False
    before, after = change.before.resolve(), change.after.resolve()
    return before == after or (change.path == ("init_from",) and before.parent == after)


def changes(old: Settings, new: Settings, prefix: tuple[str, ...] = (), allowed: bool = False) -> Iterator[Change]:
    """Yield every setting that differs between two instances of one class."""
    for name, info in type(old).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        may_change = allowed or any(isinstance(mark, ResumeSafe) for mark in info.metadata)
        if isinstance(before, Settings) and isinstance(after, Settings):
            yield from changes(before, after, (*prefix, name), may_change)
        elif before != after:
            yield Change((*prefix, name), before, after, may_change)


@dataclass(frozen=True)
class Change:
    """A setting that differs between two configurations."""

    path: tuple[str, ...]
    before: Any
    after: Any
    allowed: bool
    """Whether a resumed run may make this change."""

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.before} -> {self.after}"
