"""The header of a weights file, read with the standard library alone.

A weights file is a safetensors file: eight bytes of length, a JSON header, the tensors. Its header has an additional
entry ``restore`` with the task, the settings that rebuild its networks, and measured metrics.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from restore.core.atomic import reason
from restore.core.errors import UsageError, WeightsError

ENTRY = "restore"
BEST = "best.safetensors"

_HEADER_LIMIT = 100_000_000  # bytes; limit of the safetensors format
_PICKLES = (b"PK\x03\x04", b"\x80")  # torch.save since 1.6 and before


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
    """What weights that are passed on say of themselves: ``{"data": …, "license": …}``; empty for those of a run."""
    digest: str | None = None
    """SHA-256 of all tensors, which detects damaged values."""

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
    described = _described(path, safetensors_header(path))
    kinds = {"task": str, "model": dict, "versions": dict}
    fits = all(isinstance(described.get(key), kind) for key, kind in kinds.items())
    fits = fits and are_requirements(described.get("plugins", {}))
    card = described.get("card", {})
    fits = fits and isinstance(card, dict) and all(isinstance(text, str) for text in card.values())
    if fits and are_numbers(described.get("numbers")):
        with suppress(TypeError):  # a newer version of restore may add entries
            return Header(**described)
    raise WeightsError(f"{path}: this version of restore does not understand its {ENTRY!r} entry; upgrade restorekit")


def are_numbers(found: Any) -> bool:
    """Return whether a value from a file is a list of ``{"name", "convention", "of", "value"}``; value may be null."""
    return isinstance(found, list) and all(
        isinstance(one, dict)
        and all(isinstance(one.get(key), str) for key in ("name", "convention", "of"))
        and isinstance(one.get("value", ""), int | float | None)
        for one in found
    )


def are_requirements(found: Any) -> bool:
    """Whether something out of a file names the requirement of each plugin; a local module has none."""
    return isinstance(found, dict) and all(isinstance(line, str | None) for line in found.values())


def _described(path: Path, header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``restore`` entry of a safetensors header."""
    text = header.get("__metadata__", {}).get(ENTRY)
    if text is None:
        raise WeightsError(f"{path}: not a weights file of restore: it names no task.\n{import_line(path)}")
    try:
        described = json.loads(text)
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{path}: its {ENTRY!r} entry is damaged") from error
    if not isinstance(described, dict):
        raise WeightsError(f"{path}: its {ENTRY!r} entry is damaged")
    return described


def safetensors_header(path: Path) -> dict[str, Any]:
    """Read the JSON header of any safetensors file and check the length of the file against it.

    Raises:
        UsageError: the file does not exist.
        WeightsError: the file is unreadable, damaged or not a safetensors file.
    """
    if path.is_dir():
        raise UsageError(f"{path}: is a folder, not a weights file")
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            if start.startswith(_PICKLES) and not _plausible(start, size):
                raise WeightsError(
                    f"{path}: is a pickle; opening it could run arbitrary code, so restore does not open it.\n"
                    f"{import_line(path)}"
                )
            if not _plausible(start, size):
                raise WeightsError(f"{path}: {'empty' if not size else 'not a safetensors file, or truncated'}")
            text = file.read(int.from_bytes(start, "little"))
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {reason(error)}") from error
    header, end = _parsed(path, text)
    expected = 8 + len(text) + end
    if size != expected:
        state = "truncated" if size < expected else "damaged"
        raise WeightsError(f"{path}: {state}: it has {size} bytes, but its header declares {expected}")
    return header


def count_parameters(path: Path) -> int:
    """Return the number of parameters in a weights file of restore, without the statistics of normalization layers.

    An imported file knows the number; of others the tensors are counted. Raises what `read_header` raises.
    """
    known = read_header(path).versions.get("imported_parameters", "")
    if known.isdecimal():
        return int(known)
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    return sum(
        math.prod(entry["shape"])
        for key, entry in safetensors_header(path).items()
        if key != "__metadata__" and not key.endswith(buffers)
    )


def _parsed(path: Path, text: bytes) -> tuple[dict[str, Any], int]:
    """Return the header and the end of the last tensor, in bytes from the end of the header."""
    try:
        header = json.loads(text)
        if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):
            raise TypeError
        tensors = [entry for key, entry in header.items() if key != "__metadata__"]
        end = max((int(entry["data_offsets"][1]) for entry in tensors), default=0)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise WeightsError(f"{path}: not a safetensors file, or its header is damaged") from error
    return header, end


def _plausible(start: bytes, size: int) -> bool:
    """Return whether eight bytes can be the header length of a file of ``size`` bytes."""
    length = int.from_bytes(start, "little")
    return len(start) == 8 and 2 <= length <= min(_HEADER_LIMIT, size - 8)


def import_line(path: Path) -> str:
    """Return the advice to import a foreign checkpoint, with the command."""
    output = f"{path.stem}.safetensors" if path.suffix != ".safetensors" else f"{path.stem}-imported.safetensors"
    return (
        "Import it with\n"
        f"    restore import {shlex.quote(str(path))} --output {shlex.quote(output)}\n"
        "which reads only tensors and never runs code from the file."
    )
