"""The header of a weights file, read with the standard library alone.

A weights file is a safetensors file whose header has an additional entry ``restore`` with the task, the settings that
rebuild its networks, and measured metrics.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from restore.core.errors import UsageError, WeightsError
from restore.core.weights.safetensors_format import METADATA, import_line, safetensors_header, shapes_in

ENTRY = "restore"
BEST = "best.safetensors"

SAMPLE = "the built-in sample"
"""What the card of weights says of their data if a run without data of its own made them."""

_LONGEST_NAME = 200  # letters of a task or a phase
_DIGITS = 16  # of a number of parameters
_DEEPEST = 16  # settings inside one another


@dataclass(frozen=True)
class Header:
    """Contents of the ``restore`` entry of a weights file."""

    task: str
    """Full name of the task, such as ``srgan/srgan``."""
    model: dict[str, Any]
    """The ``model`` settings that rebuild the networks."""
    phase: str | None = None
    """Phase of the run that the weights come from; None for imported weights."""
    numbers: list[dict[str, Any]] = field(default_factory=list)
    """Measured metrics: ``{"name", "convention", "of", "value"}`` each."""
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of the packages that wrote the file, and the origin of imported weights."""
    plugins: dict[str, str | None] = field(default_factory=dict)
    """The requirement of every plugin that the run needed, as ``{"srgan": "restorekit==0.1.0"}``; None for a local
    module."""
    card: dict[str, str] = field(default_factory=dict)
    """What the weights say of themselves: ``{"data": …, "license": …}``; those of a run tell their data only."""
    digest: str | None = None
    """SHA-256 of all tensors, which detects damaged values."""

    @property
    def on_sample(self) -> bool:
        """Whether they were trained on the built-in sample of their task, and on nothing else."""
        return self.card.get("data") == SAMPLE

    def dumps(self) -> dict[str, str]:
        """Return the metadata of the safetensors file."""
        # one entry only: the library writes several in a random order, and equal runs should write equal files
        return {ENTRY: json.dumps(asdict(self), sort_keys=True)}


def find_weights(path: Path) -> Path:
    """Return the weights file that ``path`` refers to: the file itself, or the best weights of a run folder.

    Raises UsageError if there is none.
    """
    if not path.is_dir():
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
        return path
    best = path / BEST
    if best.is_file():
        return best
    if (path / "config.yaml").is_file():
        raise UsageError(f"{path}: this run has no {BEST} yet; the first evaluation writes it")
    raise UsageError(f"{path}: not a run folder: it contains no {BEST}")


def read_header(path: Path) -> Header:
    """Read the header of a weights file, without its tensors.

    Raises:
        UsageError: the file does not exist.
        WeightsError: the file is damaged, a pickle, or not a weights file of restore.
    """
    described = _parse_description(path, safetensors_header(path))
    if _is_understood(described):
        with suppress(TypeError):  # a newer version of restore may add entries
            return Header(**described)
    raise WeightsError(f"{path}: this version of restore does not understand its {ENTRY!r} entry; upgrade restorekit")


def _is_understood(described: Mapping[str, Any]) -> bool:
    """Return whether everything in a ``restore`` entry has the type that `Header` tells."""
    return (
        _is_name(described.get("task"))
        and (described.get("phase") is None or _is_name(described["phase"]))
        and isinstance(described.get("digest"), str | None)
        and isinstance(described.get("model"), dict)
        and not _is_deep(described["model"], _DEEPEST)
        and all(_are_texts(described.get(key, {})) for key in ("versions", "card"))
        and isinstance(described.get("versions"), dict)
        and are_requirements(described.get("plugins", {}))
        and are_numbers(described.get("numbers"))
    )


def _is_name(found: Any) -> bool:
    return isinstance(found, str) and 0 < len(found) <= _LONGEST_NAME and found.isprintable()


def _are_texts(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(text, str) for text in found.values())


def _is_deep(found: Any, left: int) -> bool:
    inside = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return left == 0 or any(_is_deep(each, left - 1) for each in inside)


def are_numbers(found: Any) -> bool:
    """Return whether a value from a file is a list of ``{"name", "convention", "of", "value"}``; value may be null.

    ``images`` and ``left_out`` may stand beside them.
    """
    return isinstance(found, list) and all(
        isinstance(one, dict)
        and all(isinstance(one.get(key), str) for key in ("name", "convention", "of"))
        and _is_value(one.get("value", ""))
        and all(type(one.get(key)) in (int, type(None)) for key in ("images", "left_out"))
        for one in found
    )


def _is_value(found: Any) -> bool:
    """Return whether a number from a file can be a measured one; JSON has integers that no float can be."""
    return found is None or (isinstance(found, int | float) and (isinstance(found, float) or abs(found) < 2**1000))


def are_requirements(found: Any) -> bool:
    """Whether something out of a file names the requirement of each plugin; a local module has none."""
    return isinstance(found, dict) and all(isinstance(line, str | None) for line in found.values())


def _parse_description(path: Path, header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``restore`` entry of a safetensors header."""
    text = header.get(METADATA, {}).get(ENTRY)
    if text is None:
        raise WeightsError(f"{path}: not a weights file of restore: it names no task.\n{import_line(path)}")
    try:
        described = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise WeightsError(f"{path}: its {ENTRY!r} entry is damaged") from error
    if not isinstance(described, dict):
        raise WeightsError(f"{path}: its {ENTRY!r} entry is damaged")
    return described


def count_parameters(path: Path) -> int:
    """Return the number of parameters in a weights file of restore, without the statistics of normalization layers.

    An imported file knows the number; of others the tensors are counted. Raises what `read_header` raises.
    """
    known = read_header(path).versions.get("imported_parameters", "")
    if known.isdecimal() and len(known) < _DIGITS:
        return int(known)
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    return sum(math.prod(shape) for key, shape in shapes_in(safetensors_header(path)) if not key.endswith(buffers))
