"""The networks of a task as an engine would hold them: built once for each task."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from restore.core.networks import Networks, frozen
from restore.core.task import Task

_trained: WeakKeyDictionary[Task, Networks] = WeakKeyDictionary()


def networks_of(task: Task) -> Networks:
    """Every network that is trained; the same ones each time."""
    if task not in _trained:
        _trained[task] = Networks({**task.networks(), **task.training_networks()})
    return _trained[task]


def all_networks_of(task: Task) -> Networks:
    """Those that are trained, and those of the losses."""
    return Networks({**networks_of(task), **frozen(task.frozen_networks())})
