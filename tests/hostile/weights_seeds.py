"""Small weights files of restore and of other programs, from which damaged ones are made."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from restore import registry
from restore.core.weights.files import save_weights

TASKS: dict[str, dict[str, Any]] = {
    "srgan": {"channels": 4, "blocks": 1},
    "unet": {"channels": 2, "depth": 1, "classes": ["nucleus"]},
    "vae": {"channels": 2, "depth": 2},
    "restorer": {},
}
"""Model settings of a small network of each task."""


@cache
def small_weights() -> tuple[tuple[str, dict[str, Any], dict[str, Tensor]], ...]:
    """Return the full name, the model settings and the tensors of a small network of each task."""
    found = []
    for name, model in TASKS.items():
        entry = registry.entry("tasks", name)
        task_type = entry.load()
        task = task_type(task_type.settings_type.model_validate({"model": model}))
        state = {
            f"{part}.{key}": tensor for part, net in task.networks().items() for key, tensor in net.state_dict().items()
        }
        found.append((entry.full_name, task.settings.model.model_dump(mode="json"), state))
    return tuple(found)


def written(name: str, model: dict[str, Any], tensors: dict[str, Tensor]) -> bytes:
    """Return the content of a weights file with a right checksum."""
    parts: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        network, _, rest = key.partition(".")
        parts.setdefault(network, {})[rest] = tensor
    with TemporaryDirectory() as folder:
        return save_weights(Path(folder) / "w.safetensors", task=name, model=model, networks=parts).read_bytes()


@cache
def checkpoint_tensors() -> dict[str, Tensor]:
    """Return tensors as BasicSR names those of its MSRResNet, of 4 channels and 2 blocks."""
    torch.manual_seed(0)
    shapes = {"conv_first": (4, 3), "upconv1": (16, 4), "upconv2": (16, 4), "conv_hr": (4, 4), "conv_last": (3, 4)}
    shapes |= {f"body.{block}.conv{number}": (4, 4) for block in range(2) for number in (1, 2)}
    return {
        f"{name}.{part}": torch.randn(*shape, 3, 3) * 0.1 if part == "weight" else torch.zeros(shape[0])
        for name, shape in shapes.items()
        for part in ("weight", "bias")
    }


def pickled(content: Any, *, zipped: bool = True) -> bytes:
    """Return what ``torch.save`` writes."""
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def foreign_safetensors(tensors: dict[str, Tensor]) -> bytes:
    """Return a safetensors file of another program."""
    with TemporaryDirectory() as folder:
        save_file(tensors, Path(folder) / "w.safetensors", metadata={"format": "pt"})
        return (Path(folder) / "w.safetensors").read_bytes()
