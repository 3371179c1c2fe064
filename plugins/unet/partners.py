"""Further weights that answer together with those in use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from restore import registry
from restore.core.errors import UsageError
from restore.core.weights.files import open_weights
from restore.core.weights.header import find_weights
from restore.plugins.unet.inference import Network

if TYPE_CHECKING:
    from restore.plugins.unet.task import Segmentation


def open_partners(paths: Sequence[Path], first: Segmentation) -> list[Network]:
    """The networks of further weights, each fed in its own way. Raises UsageError where they find other classes."""
    from restore.plugins.unet.task import Segmentation

    partners = []
    for path in paths:
        task, modules = open_weights(find_weights(path), registry.get)
        if not isinstance(task, Segmentation):
            raise UsageError(f"--ensemble: {path} does not segment")
        if (task.classes, task.model.exclusive) != (first.classes, first.model.exclusive):
            raise UsageError(
                f"--ensemble: {path} finds {', '.join(task.classes)}, the first weights {', '.join(first.classes)}"
            )
        if task.model.input_channels != first.model.input_channels:
            raise UsageError(f"--ensemble: {path} reads {task.model.input_channels} channels, not as the first weights")
        partners.append(Network(modules["segmenter"], task.model, resize=task.model.fit == "resize"))
    return partners
