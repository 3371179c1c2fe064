"""Checkpoints: folders of safetensors and JSON files, written atomically and verified when read. No pickle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from restore.core.atomic import atomic_write, fsync, reason
from restore.core.errors import CheckpointError, RestoreError
from restore.core.hashing import hash_file
from restore.core.weights.tensors import storable, write_tensors

PREFIX = "step-"
MANIFEST = "manifest.json"
STATE = "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """Complete state of a run: tensors by group, and plain data."""

    tensors: Mapping[str, Mapping[str, Tensor]]
    state: Mapping[str, Any]


def save(folder: Path, step: int, checkpoint: Checkpoint, *, keep: int) -> Path:
    """Write ``folder/step-<step>`` and remove all but the newest ``keep`` checkpoints.

    Checkpoints of later steps do not count: they were unreadable when the run was resumed. The folder gets its name
    after every file in it is on disk, so earlier checkpoints survive a killed process or a full disk.

    Raises:
        RestoreError: the checkpoint cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".writing-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    # a step may be saved twice, such as before and after an evaluation; replacing a folder would not be atomic
    name = f"{PREFIX}{step:09d}"
    suffixes = [earlier.suffix[1:] or "0" for earlier in folder.glob(f"{name}*")]
    saved = [int(suffix) for suffix in suffixes if suffix.isdecimal()]
    path = folder / (f"{name}.{max(saved) + 1:03d}" if saved else name)
    temporary = folder / f".writing-{path.name}"
    try:
        temporary.mkdir()
        for group, tensors in checkpoint.tensors.items():
            write_tensors(temporary / f"{group}.safetensors", storable(tensors))
        (temporary / STATE).write_text(json.dumps(checkpoint.state), "utf-8")
        manifest = {file.name: hash_file(file) for file in sorted(temporary.iterdir())}
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
        for file in temporary.iterdir():
            fsync(file)
        fsync(temporary)
        temporary.rename(path)
        fsync(folder)
    except OSError as error:
        raise RestoreError(
            f"cannot write the checkpoint of step {step} to {folder}: {reason(error)}; earlier checkpoints are kept"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    newest = _newest_first(folder)
    for old in newest[newest.index(path) + keep :]:
        shutil.rmtree(old, ignore_errors=True)
    return path


def load_newest(folder: Path, damaged: Callable[[str], None]) -> tuple[Path, Checkpoint]:
    """Return the newest intact checkpoint and its path; call ``damaged`` with a message about each damaged one.

    Raises:
        CheckpointError: no checkpoint is intact.
    """
    for path in _newest_first(folder):
        try:
            return path, load(path)
        except CheckpointError as error:
            damaged(f"{error}; trying the previous checkpoint")
    raise CheckpointError(f"{folder} contains no readable checkpoint, so the run cannot be resumed; start a new run")


def load(path: Path) -> Checkpoint:
    """Read one checkpoint and verify the hash of every file.

    Raises:
        CheckpointError: a file is missing or damaged; the message names it.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text("utf-8"))
        for name, digest in manifest.items():
            if hash_file(path / name) != digest:
                raise CheckpointError(f"the checkpoint {path} is damaged ({name} does not match its hash)")
        if STATE not in manifest:
            raise CheckpointError(f"the checkpoint {path} is damaged ({MANIFEST} does not list {STATE})")
        groups = [name for name in manifest if name.endswith(".safetensors")]
        tensors = {name.removesuffix(".safetensors"): load_file(path / name) for name in groups}
        return Checkpoint(tensors, json.loads((path / STATE).read_text("utf-8")))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        raise CheckpointError(f"the checkpoint {path} is damaged ({error})") from None


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors to one safetensors file, atomically."""
    with atomic_write(path) as temporary:
        write_tensors(temporary, storable(tensors))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file that `save_tensors` wrote.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read ({error})") from None


def flatten_optimizer(name: str, state: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Split an optimizer's ``state_dict`` into named tensors and plain data."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {}
    for index, values in state["state"].items():
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{name}/{index}/{key}"] = value
            else:
                plain[f"{index}/{key}"] = value
    groups = [dict(group) for group in state["param_groups"]]
    return tensors, {"state": plain, "param_groups": groups}


def restore_optimizer(
    name: str, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]
) -> None:
    """Restore the state of an optimizer that `flatten_optimizer` returned; tensors of other optimizers are ignored."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        owner, index, field = key.split("/", 2)
        if owner == name:
            parameter = parameters[int(index)]
            # restore the parameter's memory format, which safetensors does not store
            same = tensor.shape == parameter.shape
            value = torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor) if same else tensor.clone()
            state.setdefault(int(index), {})[field] = value.detach()
    for key, value in plain["state"].items():
        index, field = key.split("/", 1)
        state.setdefault(int(index), {})[field] = value
    groups = [  # JSON has no tuples, and betas must be a tuple
        {key: tuple(value) if isinstance(value, list) and key != "params" else value for key, value in group.items()}
        for group in plain["param_groups"]
    ]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{PREFIX}*"), reverse=True)
