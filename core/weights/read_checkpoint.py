"""Read checkpoints of other programs without running code from them."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from restore.core.atomic import reason
from restore.core.errors import UsageError, WeightsError
from restore.core.weights.header import ENTRY, safetensors_header

WRAPPERS = (
    *("params_ema", "ema_state_dict", "state_dict_ema", "model_ema", "g_ema", "ema"),
    *("params", "state_dict", "model_state_dict", "model", "generator", "net_g", "netG", "network", "net", "weights"),
)
"""Keys under which training programs store a network in a checkpoint; averaged weights come first."""

_DAMAGED = (RuntimeError, ValueError, LookupError, TypeError, AttributeError, AssertionError, EOFError, struct.error)
_AVERAGED = "n_averaged"  # counter that torch.optim.swa_utils.AveragedModel stores with the weights


@dataclass(frozen=True)
class CheckpointState:
    """The parameters of a foreign checkpoint under their original names, and notes on how they were extracted."""

    tensors: dict[str, Tensor]
    notes: list[str] = field(default_factory=list)


def read_checkpoint(path: Path) -> CheckpointState:
    """Read a checkpoint of another program: a safetensors file, or the tensors of a pickle.

    Removes wrappers (``state_dict``, ``params_ema``, …) and the prefixes of data parallelism, averaging and
    torch.compile; ``notes`` lists what was removed.

    Raises:
        UsageError: the file does not exist.
        WeightsError: the file is damaged, contains objects whose loading would run code, or contains no parameters.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder, not a checkpoint")
    notes: list[str] = []
    content = _safetensors(path) if _is_safetensors(path) else _pickle(path)
    tensors = _unwrapped(path, content, notes)
    return CheckpointState(_unprefixed(tensors, notes), notes)


def _is_safetensors(path: Path) -> bool:
    """Return whether a file is safetensors, by its content: eight bytes of length, then a JSON header."""
    try:
        with path.open("rb") as file:
            return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {reason(error)}") from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    header = safetensors_header(path)
    if ENTRY in header.get("__metadata__", {}):
        raise WeightsError(f"{path}: is already a weights file of restore; use it directly")
    try:
        return dict(load_file(path))
    except (SafetensorError, *_DAMAGED) as error:
        raise WeightsError(f"{path}: damaged: {error}") from error


def _pickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old file formats; they are read or refused anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(_refusal(path, str(error))) from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {reason(error)}") from error
    except _DAMAGED as error:
        line = next(iter(str(error).splitlines()), "")
        raise WeightsError(f"{path}: damaged, truncated, or not a checkpoint: {line}") from error


def _refusal(path: Path, message: str) -> str:
    """Return why a pickle was not read: the object that it needs, or that it is not a pickle."""
    wanted = re.search(r"GLOBAL ([\w.]+)|(?:class|function|type) ([\w.]+)", message)
    if wanted is None:
        return f"{path}: damaged, or not a checkpoint that can be read safely; no code from it was run"
    return (
        f"{path}: refused: it contains {wanted[1] or wanted[2]}, and loading that could run arbitrary code. No code "
        "from the file was run.\nIn the program that made it, save only the parameters: "
        "torch.save(model.state_dict(), FILE)"
    )


def _unwrapped(path: Path, content: Any, notes: list[str]) -> dict[str, Tensor]:
    """Return the innermost mapping of names to tensors."""
    inside: list[str] = []
    while isinstance(content, Mapping):
        held = [key for key, value in content.items() if isinstance(value, Mapping) and _holds_tensors(value)]
        known = [
            key for key in WRAPPERS if key in held
        ]  # take precedence over single tensors, such as the best accuracy
        if not known and any(isinstance(value, Tensor) for value in content.values()):
            break
        known = known or (held if len(held) == 1 else [])
        if not known:
            keys = ", ".join(map(str, content)) or "nothing"
            raise WeightsError(f"{path}: contains no network parameters; its keys: {keys}")
        inside.append(str(known[0]))
        others = [str(key) for key in held if key != known[0]]
        notes.append(f"used: {'/'.join(inside)}" + (f" (the file also contains {', '.join(others)})" if others else ""))
        content = content[known[0]]
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path}: contains a {type(content).__name__}; expected named parameters")
    for key, value in content.items():
        if not isinstance(value, Tensor):
            notes.append(f"skipped: {key} (not a tensor)")
    return {str(key): value for key, value in content.items() if isinstance(value, Tensor)}


def _holds_tensors(value: Mapping[Any, Any], depth: int = 3) -> bool:
    """Return whether a mapping contains parameters, directly or nested."""
    return any(
        isinstance(inner, Tensor) or (depth > 0 and isinstance(inner, Mapping) and _holds_tensors(inner, depth - 1))
        for inner in value.values()
    )


def _unprefixed(tensors: dict[str, Tensor], notes: list[str]) -> dict[str, Tensor]:
    """Remove the prefixes of data parallelism, averaging and torch.compile."""
    names = {key: key.replace("_orig_mod.", "") for key in tensors}
    parameters = [key for key in tensors if key != _AVERAGED]
    while parameters and all(names[key].startswith("module.") for key in parameters):
        names.update({key: names[key].removeprefix("module.") for key in parameters})
    if _AVERAGED in tensors and parameters and names[parameters[0]] != parameters[0]:
        del names[_AVERAGED]
        notes.append(f"skipped: {_AVERAGED} (counter of averaged weights)")
    return {name: tensors[key] for key, name in names.items()}
