"""Say that weights were trained on the built-in sample, and what to use on other images instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from restore import registry
from restore.cli.model_ref import list_classical_methods, list_shipped
from restore.core.errors import RestoreError
from restore.core.task import Task

if TYPE_CHECKING:
    from restore.cli.model_ref import ModelRef
    from restore.core.method import Method


def describe_demonstration(model: ModelRef, method: Method) -> str | None:
    """Return a warning about weights that were trained on the built-in sample; None for all others.

    It names weights that ship, of the same plugin and scale, and the classical methods that the task compares itself
    with.
    """
    if model.header is None or not model.header.on_sample:
        return None
    instead = []
    if shipped := list(_find_shipped(model)):
        instead.append(f"weights that ship: restore predict {' or '.join(shipped)}")
    classical = dict(list_classical_methods())
    if known := [name for name in (method.baselines() if isinstance(method, Task) else ()) if name in classical]:
        instead.append(f"a classical method: restore predict {' or '.join(known)}")
    instead.append(f"weights of your own data: restore train {model.entry.name} --data FOLDER")
    return (
        f"{model.name} was trained on the sample: a demonstration, not made for other images. For these there are "
        + "; ".join(instead)
    )


def _find_shipped(model: ModelRef) -> Iterator[str]:
    """Yield the names of shipped weights of the same plugin that have the same scale, if the model has one."""
    from restore.core.weights.header import read_header

    assert model.header is not None
    scale = model.header.model.get("scale")
    for name, _ in list_shipped():
        try:
            header = read_header(Path(registry.entry("weights", name).load()))
            plugin = registry.entry("tasks", header.task).plugin
        except (registry.RegistryError, RestoreError):  # broken weights of another plugin
            continue
        if plugin == model.entry.plugin and header.model.get("scale") == scale:
            yield name
