"""What to type to use a task, as far as that can be told of any family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restore import registry

if TYPE_CHECKING:
    from restore.core.task import Task

ONE_PICTURE = "photo.jpg --output out/"
"""What stands behind ``restore predict RUN`` where a picture is all that is needed."""


def prediction(entry: registry.Entry, task: Task) -> str:
    """What to type behind ``restore predict RUN``: a picture, and a file for every other input of the task.

    An option that is called as the input, as ``--mask``, brings it in; where there is none, the help says what does.
    """
    others = list(task.inputs)[1:]
    if not others:
        return ONE_PICTURE
    if not all(name in _options(entry) for name in others):
        return "--help"
    files = " ".join(f"--{name.replace('_', '-')} {name}.png" for name in others)
    return f"photo.jpg {files} --output out/"


def _options(entry: registry.Entry) -> set[str]:
    from restore.cli.settings.families import BrokenSettings, settings_class
    from restore.core.settings import Settings

    if not entry.details.get("predict"):
        return set()
    try:
        return set(settings_class(entry, "predict", Settings).model_fields)
    except (registry.RegistryError, BrokenSettings):  # which is told to whoever predicts
        return set()
