"""Open what the first argument of a command means: a task with its networks."""

from __future__ import annotations

from pathlib import Path

from restore import registry
from restore.cli.subjects import Subject
from restore.core.settings import Settings
from restore.core.steps import Modules
from restore.core.task import Task
from restore.core.weights.files import open_weights, rebuild
from restore.core.weights.header import find_weights


def opened(chosen: Subject, options: Settings | None) -> tuple[Task, Modules]:
    """The task, built with ``options``, and its networks on the CPU, frozen and in evaluation mode.

    Raises WeightsError when a weights file is damaged or does not fit, the registry's errors when the task cannot be
    loaded.
    """
    if chosen.header is not None:
        return open_weights(find_weights(Path(chosen.typed)), registry.get, options)
    task = rebuild(chosen.entry.load(), {}, options, source=chosen.typed)
    return task, Modules(task.exported)
