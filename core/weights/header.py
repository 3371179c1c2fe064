"""What a weights file says about itself, read with the standard library alone.

A weights file is a safetensors file: eight bytes of length, a JSON header, the numbers. Ours carry one more entry in
the header, ``restore``: which task they are for, the settings that rebuild its networks, and what was measured.
"""

from __future__ import annotations

import json
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

_HEADER_LIMIT = 100_000_000  # bytes; the limit that the safetensors format itself sets
_PICKLES = (b"PK\x03\x04", b"\x80")  # torch.save since 1.6, and before


@dataclass(frozen=True)
class Header:
    """What a weights file says about itself."""

    task: str
    """Full name of the task, as ``srgan/srgan``."""
    model: dict[str, Any]
    """The ``model`` settings that rebuild the networks."""
    phase: str | None = None
    """Phase of the run that the weights come from; none for imported ones."""
    numbers: list[dict[str, Any]] = field(default_factory=list)
    """What was measured: ``{"name", "convention", "of", "value"}`` each."""
    versions: dict[str, str] = field(default_factory=dict)
    """What wrote the file, and where the weights came from."""
    plugins: dict[str, str | None] = field(default_factory=dict)
    """The requirement of every plugin that the run needed, as ``{"srgan": "restorekit==0.1.0"}``; None for a local
    module."""
    digest: str | None = None
    """SHA-256 of every tensor, by which damage to the numbers themselves is noticed."""

    def dumps(self) -> dict[str, str]:
        """The metadata of the safetensors file."""
        # one entry only: the library writes several in a random order, and equal runs should write equal files
        return {ENTRY: json.dumps(asdict(self), sort_keys=True)}


def find_weights(path: Path) -> Path:
    """The weights file that ``path`` means: itself, or the best one of a run's folder.

    Raises UsageError when there is none.
    """
    if not path.is_dir():
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
        return path
    best = path / BEST
    if best.is_file():
        return best
    if (path / "config.yaml").is_file():
        raise UsageError(f"{path}: this run has no {BEST} yet; it is written when the first evaluation is done")
    raise UsageError(f"{path}: not a run: it holds no {BEST}")


def read_header(path: Path) -> Header:
    """Read what a weights file says about itself; no number is read.

    Raises UsageError when there is no such file, WeightsError when the file is damaged, a pickle, or not ours.
    """
    described = _described(path, safetensors_header(path))
    kinds = {"task": str, "model": dict, "versions": dict}
    fits = all(isinstance(described.get(key), kind) for key, kind in kinds.items())
    fits = fits and are_requirements(described.get("plugins", {}))
    if fits and are_numbers(described.get("numbers")):
        with suppress(TypeError):  # an entry that only a newer restore knows
            return Header(**described)
    raise WeightsError(f"{path}: its {ENTRY!r} entry is not one that this version of restore understands")


def are_numbers(found: Any) -> bool:
    """Whether something out of a file is a list of ``{"name", "convention", "of", "value"}``; a value may be null."""
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
    """The ``restore`` entry of a safetensors header."""
    text = header.get("__metadata__", {}).get(ENTRY)
    if text is None:
        raise WeightsError(f"{path}: does not say which task it is for, so it was not made here.\n{import_line(path)}")
    try:
        described = json.loads(text)
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{path}: its {ENTRY!r} entry is damaged") from error
    if not isinstance(described, dict):
        raise WeightsError(f"{path}: its {ENTRY!r} entry is damaged")
    return described


def safetensors_header(path: Path) -> dict[str, Any]:
    """The JSON header of any safetensors file, after a check that the file is as long as the header says.

    Raises UsageError when there is no such file, WeightsError otherwise.
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
                    f"{path}: is a pickle, which may run any program when it is opened; restore does not open it.\n"
                    f"{import_line(path)}"
                )
            if not _plausible(start, size):
                raise WeightsError(f"{path}: {'empty' if not size else 'not a safetensors file, or cut off'}")
            text = file.read(int.from_bytes(start, "little"))
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {reason(error)}") from error
    header, end = _parsed(path, text)
    expected = 8 + len(text) + end
    if size != expected:
        state = "cut off" if size < expected else "damaged"
        raise WeightsError(f"{path}: {state}: {size} bytes where its header announces {expected}")
    return header


def _parsed(path: Path, text: bytes) -> tuple[dict[str, Any], int]:
    """The header and where the last tensor ends, in bytes from the end of the header."""
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
    """Whether eight bytes can be the length of the header of a file of ``size`` bytes."""
    length = int.from_bytes(start, "little")
    return len(start) == 8 and 2 <= length <= min(_HEADER_LIMIT, size - 8)


def import_line(path: Path) -> str:
    """The command that brings a foreign checkpoint in."""
    output = f"{path.stem}.safetensors" if path.suffix != ".safetensors" else f"{path.stem}-imported.safetensors"
    return (
        "Bring it in with\n"
        f"    restore import {shlex.quote(str(path))} --task TASK --output {shlex.quote(output)}\n"
        "which reads tensors only and never runs what a file says."
    )
