"""The settings of a resumed run: its own, with the changes that do not make it another run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from restore.core.errors import ResumeError
from restore.core.records.folder import read_config
from restore.core.settings import RunSettings, changes, overlay

R = TypeVar("R", bound=RunSettings)


def merged(settings_type: type[R], run: Path, typed: Mapping[str, Any]) -> R:
    """A run's settings with what was typed laid over them.

    Args:
        settings_type: the settings class of the run's task.
        run: the run folder.
        typed: new values as a tree, ``{"optimizer": {"lr": 1e-3}}``.

    Raises:
        ResumeError: a change would make it another run; every refused difference is listed.
        pydantic.ValidationError: a new value is not valid.
    """
    config = read_config(run)
    old = settings_type.model_validate(config)
    new = settings_type.model_validate(overlay(config, typed))
    refused = [
        change
        for change in changes(old, new)
        if not change.allowed and not (isinstance(change.after, Path) and change.after.absolute() == change.before)
    ]
    if refused:
        lines = "\n".join(f"  {change}" for change in refused)
        raise ResumeError(
            f"a resumed run keeps its settings, so that it stays the run that it was; not changed:\n{lines}\n"
            f"Leave them out, or start a new run: restore train TASK --config {run / 'config.yaml'} …"
        )
    kept = {change.path[0] for change in changes(old, new) if change.allowed}
    return old.model_copy(update={name: getattr(new, name) for name in kept})
