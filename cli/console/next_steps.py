"""Commands to run next, as they are printed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from restore import registry

ONE_IMAGE = "photo.jpg --output out/"
"""What follows ``restore predict RUN`` if an image is the only input."""

Example = Callable[[Sequence[str]], str]
"""Says what follows ``restore predict RUN`` for a method with these inputs, the image itself first."""


def format_prediction(entry: registry.Entry, inputs: Sequence[str]) -> str:
    """Return what follows ``restore predict RUN``: an image, and a file for every other one of the inputs.

    An option with the name of an input, such as ``--mask``, passes it. If an input has no such option, the help
    explains what to pass.
    """
    others = inputs[1:]
    if not others:
        return ONE_IMAGE
    if not all(name in _list_options(entry) for name in others):
        return "--help"
    files = " ".join(f"--{name.replace('_', '-')} {name}.png" for name in others)
    return f"photo.jpg {files} --output out/"


def format_resume(task: str, folder: Path) -> str:
    """Return the command that resumes a run."""
    return f"restore train {task} --resume {shlex.quote(str(folder))}"


def _list_options(entry: registry.Entry) -> set[str]:
    from restore.cli.settings.task_settings import BrokenSettings, load_settings_class
    from restore.core.settings import Settings

    if "predict" not in entry.references:
        return set()
    try:
        return set(load_settings_class(entry, "predict", Settings).model_fields)
    except (registry.RegistryError, BrokenSettings):  # ``restore predict`` reports it
        return set()
