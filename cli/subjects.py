"""What the first argument of ``predict``, ``evaluate`` and a plugin's verb means: a run, a weights file, or a task."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restore import registry
from restore.cli.suggestions import did_you_mean
from restore.core.errors import UsageError

if TYPE_CHECKING:
    from restore.core.weights.header import Header


@dataclass(frozen=True)
class Subject:
    """What is to be used."""

    typed: str
    entry: registry.Entry
    """The task."""
    header: Header | None
    """What the weights file says about itself; none for a task without weights."""


def subject(typed: str) -> Subject:
    """Find out what was meant; reads the header of a weights file without torch.

    Raises ``UsageError`` where it is empty, or neither a file nor a folder nor a task without weights,
    ``WeightsError`` where the file is damaged, and the registry's errors where the task of the weights is not
    installed.
    """
    from restore.core.weights.header import find_weights, read_header

    if not typed:
        raise UsageError("an empty word stands where a run, a weights file or a fixed method should be named")
    path = Path(typed)
    if not path.exists():
        return _task_without_weights(typed)
    try:
        header = read_header(find_weights(path))
    except UsageError:
        # A folder may happen to have the name of a task; as a run it is useless without weights.
        if typed in dict(tasks_without_weights()):
            return _task_without_weights(typed)
        raise
    return Subject(typed, registry.entry("tasks", header.task), header)


def _task_without_weights(typed: str) -> Subject:
    try:
        entry = registry.entry("tasks", typed)
    except registry.UnknownName:
        if _looks_like_path(typed):
            raise UsageError(f"there is no file or folder {typed}") from None
        known = [name for name, _ in usable()]
        listed = f" There are: {', '.join(known)}" if known else ""
        raise UsageError(
            f"there is no run, weights file or fixed method called '{typed}'.{did_you_mean(typed, known) or listed}"
        ) from None
    if entry.details.get("weights", True):
        raise UsageError(
            f"{entry.name} is a task that is used through its weights: name a run folder or a weights file.\n"
            f"'restore train {entry.name}' makes one."
        )
    return Subject(typed, entry, None)


def _looks_like_path(typed: str) -> bool:
    separators = {os.sep, os.altsep, "/"} - {None}
    return bool(Path(typed).suffix) or any(str(separator) in typed for separator in separators)


def tasks_without_weights() -> Iterator[tuple[str, str]]:
    """Names of the fixed methods, each with its summary."""
    yield from named(entry for entry in registry.entries("tasks") if not entry.details.get("weights", True))


def trainable_tasks() -> Iterator[tuple[str, str]]:
    """Names of the tasks that learn something, each with its summary."""
    yield from named(entry for entry in registry.entries("tasks") if entry.details.get("weights", True))


def named(found: Iterable[registry.Entry]) -> Iterator[tuple[str, str]]:
    """Entries by the shortest name that means them and nothing else, each with its summary."""
    entries = list(found)
    taken: dict[str, int] = {}
    for entry in entries:
        taken[entry.name] = taken.get(entry.name, 0) + 1
    for entry in entries:
        # The plugin of the name itself is asked first, so its short name is never ambiguous.
        short = taken[entry.name] == 1 or entry.plugin == entry.name.replace("-", "_")
        yield entry.name if short else entry.full_name, entry.summary


def usable() -> Iterator[tuple[str, str]]:
    """What help and completion offer as a first argument: finished runs here, and tasks without weights."""
    for weights in sorted(Path("runs").glob("*/best.safetensors")):
        yield str(weights.parent), "a run"
    yield from tasks_without_weights()
