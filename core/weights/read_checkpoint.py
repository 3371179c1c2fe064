"""Read checkpoints that other programs wrote, without ever running what they say."""

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
"""Where training programs keep a network in a checkpoint, averaged weights first: those are what they evaluate."""

_DAMAGED = (RuntimeError, ValueError, LookupError, TypeError, AttributeError, AssertionError, EOFError, struct.error)
_AVERAGED = "n_averaged"  # a counter that torch.optim.swa_utils.AveragedModel keeps among the weights


@dataclass(frozen=True)
class CheckpointState:
    """The parameters of a foreign checkpoint under their own names, and what was done to get at them."""

    tensors: dict[str, Tensor]
    notes: list[str] = field(default_factory=list)


def read_checkpoint(path: Path) -> CheckpointState:
    """Read a checkpoint of another program: a safetensors file, or a pickle of which only tensors are read.

    Wrappers (``state_dict``, ``params_ema``, …) are taken off, and what data parallelism, averaging and torch.compile
    put before every name; ``notes`` tell about it. Raises UsageError when there is no such file, WeightsError when it
    is damaged, holds anything that would have to be run, or holds no parameters.
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
    """By content, whatever the name: a header of JSON follows eight bytes of length."""
    try:
        with path.open("rb") as file:
            return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {reason(error)}") from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    header = safetensors_header(path)
    if ENTRY in header.get("__metadata__", {}):
        raise WeightsError(f"{path}: is a weights file of restore already; use it as it is")
    try:
        return dict(load_file(path))
    except (SafetensorError, *_DAMAGED) as error:
        raise WeightsError(f"{path}: damaged: {error}") from error


def _pickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the age of a file's format; it is read or refused all the same
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(_refusal(path, str(error))) from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {reason(error)}") from error
    except _DAMAGED as error:
        line = next(iter(str(error).splitlines()), "")
        raise WeightsError(f"{path}: damaged, cut off, or not a checkpoint: {line}") from error


def _refusal(path: Path, message: str) -> str:
    """Why a pickle was not read: what it asked for, or that it is none."""
    wanted = re.search(r"GLOBAL ([\w.]+)|(?:class|function|type) ([\w.]+)", message)
    if wanted is None:
        return f"{path}: not a checkpoint that can be read safely, or damaged; nothing of it was run"
    return (
        f"{path}: refused: besides tensors it holds {wanted[1] or wanted[2]}, for which a program would have to be "
        "run; nothing of it was.\nIn the program that made it, save the parameters alone: "
        "torch.save(model.state_dict(), FILE)"
    )


def _unwrapped(path: Path, content: Any, notes: list[str]) -> dict[str, Tensor]:
    """The innermost mapping of names to tensors."""
    inside: list[str] = []
    while isinstance(content, Mapping):
        held = [key for key, value in content.items() if isinstance(value, Mapping) and _holds_tensors(value)]
        known = [key for key in WRAPPERS if key in held]  # before tensors beside them, such as the best accuracy
        if not known and any(isinstance(value, Tensor) for value in content.values()):
            break
        known = known or (held if len(held) == 1 else [])
        if not known:
            keys = ", ".join(map(str, content)) or "nothing"
            raise WeightsError(f"{path}: no parameters of a network were found in it; it holds {keys}")
        inside.append(str(known[0]))
        others = [str(key) for key in held if key != known[0]]
        notes.append(f"taken: {'/'.join(inside)}" + (f" (the file also holds {', '.join(others)})" if others else ""))
        content = content[known[0]]
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path}: holds a {type(content).__name__} where named parameters are needed")
    for key, value in content.items():
        if not isinstance(value, Tensor):
            notes.append(f"left out: {key}, which is no tensor")
    return {str(key): value for key, value in content.items() if isinstance(value, Tensor)}


def _holds_tensors(value: Mapping[Any, Any], depth: int = 3) -> bool:
    """Whether a mapping holds parameters, or one that does."""
    return any(
        isinstance(inner, Tensor) or (depth > 0 and isinstance(inner, Mapping) and _holds_tensors(inner, depth - 1))
        for inner in value.values()
    )


def _unprefixed(tensors: dict[str, Tensor], notes: list[str]) -> dict[str, Tensor]:
    """The same without what was put around the network: data parallelism, averaging, torch.compile."""
    names = {key: key.replace("_orig_mod.", "") for key in tensors}
    parameters = [key for key in tensors if key != _AVERAGED]
    while parameters and all(names[key].startswith("module.") for key in parameters):
        names.update({key: names[key].removeprefix("module.") for key in parameters})
    if _AVERAGED in tensors and parameters and names[parameters[0]] != parameters[0]:
        del names[_AVERAGED]
        notes.append(f"left out: {_AVERAGED}, which counts averaged weights")
    return {name: tensors[key] for key, name in names.items()}
