"""Checkpoints as other projects publish them, made here and brought in by the one door that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from restore import registry
from restore.core.weights.convert import Report, import_weights


def import_published(folder: Path, checkpoint: Any, task: str) -> Report:
    """Write a checkpoint as a pickle and import it for a task, by the key maps that its family registers."""
    entry = registry.entry("tasks", task)
    file = folder / "published.pth"
    torch.save(checkpoint, file)
    return import_weights(
        file,
        folder / "weights.safetensors",
        task=entry.full_name,
        task_type=entry.load(),
        converters=entry.locate("imports"),
    )
