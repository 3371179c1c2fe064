"""Read checkpoints of other programs without running code from them."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from restore.core.atomic import reason
from restore.core.errors import WeightsError
from restore.core.weights.file_kinds import refuse_other_kinds
from restore.core.weights.header import ENTRY
from restore.core.weights.left_out import harmless_globals
from restore.core.weights.safetensors_format import safetensors_header
from restore.core.weights.unwrap import CheckpointState, find_states, refuse_several

_DAMAGED = (RuntimeError, ValueError, LookupError, TypeError, AttributeError, AssertionError, EOFError, struct.error)


def read_checkpoint(path: Path, key: str | None = None) -> CheckpointState:
    """Read a checkpoint of another program: a safetensors file, or the tensors of a pickle.

    Removes wrappers (``state_dict``, ``params_ema``, …) and the prefixes of data parallelism, averaging and
    torch.compile; ``notes`` lists what was removed.

    Args:
        path: the file.
        key: which part of the file to take, see `find_states`; None: the most likely one.

    Raises:
        UsageError: the file does not exist, or has no such part.
        WeightsError: the file is damaged, contains objects whose loading would run code, contains no parameters, or
            several groups of them.
    """
    states = read_states(path, key)
    refuse_several(path, states)
    return states[0]


def read_states(path: Path, key: str | None = None) -> list[CheckpointState]:
    """Read everything in a checkpoint that may be the parameters of a network, the most likely first.

    Arguments and errors are those of `read_checkpoint`; several groups of parameters are no error.
    """
    refuse_other_kinds(path)
    content = _safetensors(path) if _is_safetensors(path) else _pickle(path)
    states = find_states(path, content, key)
    for state in states:
        _refuse_unusual(path, state)
    return states


def _refuse_unusual(path: Path, state: CheckpointState) -> None:
    """Raise WeightsError for tensors that networks cannot take over.

    Sparse and quantized ones hold no plain values. One that repeats its values to more bytes than the file has, as
    ``expand`` makes it, would be copied whole.
    """
    for name, tensor in state.tensors.items():
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
            kind = "quantized" if tensor.is_quantized else "empty" if tensor.is_meta else "sparse"
            raise WeightsError(
                f"{path}: {name} is {kind}; save the checkpoint with plain tensors of float32 or float16"
            )
        size = tensor.numel() * tensor.element_size()
        if size > path.stat().st_size and size > tensor.untyped_storage().nbytes():
            raise WeightsError(
                f"{path}: {name} has the shape {tuple(tensor.shape)}, of which the file holds only a small part"
            )


def _is_safetensors(path: Path) -> bool:
    """Return whether a file is safetensors, by its content: eight bytes of length, then a JSON header."""
    try:
        with path.open("rb") as file:
            return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {reason(error)}") from error


def _safetensors(path: Path) -> Any:
    header = safetensors_header(path)
    if ENTRY in header.get("__metadata__", {}):
        raise WeightsError(f"{path}: is already a weights file of restore; use it directly")
    try:
        return dict(load_file(path))
    except (SafetensorError, *_DAMAGED) as error:
        raise WeightsError(f"{path}: damaged: {error}") from error


def _pickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(list(harmless_globals())):
            warnings.simplefilter("ignore")  # about old file formats; they are read or refused anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(_refusal(path, str(error))) from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {reason(error)}") from error
    except RecursionError as error:
        raise WeightsError(f"{path}: damaged, or not a checkpoint: its objects are nested too deep") from error
    except _DAMAGED as error:
        line = next(iter(str(error).splitlines()), "")
        raise WeightsError(f"{path}: damaged, truncated, or not a checkpoint: {line}") from error


def _refusal(path: Path, message: str) -> str:
    """Return why a pickle was not read: the object that it needs, or that it is not a pickle."""
    wanted = re.search(r"GLOBAL ([\w.]+)|(?:class|function|type) ([\w.]+)|but got <class '([\w.]+)'>", message)
    if wanted is None:
        return f"{path}: damaged, or not a checkpoint that can be read safely; no code from it was run"
    return (
        f"{path}: refused: it contains {next(filter(None, wanted.groups()))}, and loading that could run arbitrary "
        "code. No code from the file was run.\nLook for another file of the same network: .safetensors, or one with "
        "parameters only. In the program that made it, save only these: torch.save(model.state_dict(), FILE)"
    )
