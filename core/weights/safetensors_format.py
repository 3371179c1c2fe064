"""The JSON header of a safetensors file, checked against the file before anything is made of it.

Eight bytes of length, a JSON header, the tensors: https://github.com/huggingface/safetensors#format. Read with the
standard library alone.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from restore.core.atomic import reason
from restore.core.errors import UsageError, WeightsError

METADATA = "__metadata__"

_HEADER_LIMIT = 100_000_000  # bytes; limit of the format
_PICKLES = (b"PK\x03\x04", b"\x80")  # torch.save since 1.6 and before
_DIMENSIONS = 64  # no tensor of torch has more
_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}
"""Bytes of a value of each type; newer versions of the format may have more types."""


def safetensors_header(path: Path) -> dict[str, Any]:
    """Read the JSON header of any safetensors file, and check the sizes that it declares against the file.

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
    header, end = _parse(path, text)
    expected = 8 + len(text) + end
    if size != expected:
        state = "truncated" if size < expected else "damaged"
        raise WeightsError(f"{path}: {state}: it has {size} bytes, but its header declares {expected}")
    return header


def shapes_in(header: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the name and the shape of each tensor that a header declares."""
    for name, entry in header.items():
        if name != METADATA:
            yield name, tuple(entry["shape"])


def import_line(path: Path) -> str:
    """Return the advice to import a foreign checkpoint, with the command."""
    output = f"{path.stem}.safetensors" if path.suffix != ".safetensors" else f"{path.stem}-imported.safetensors"
    return (
        "Import it with\n"
        f"    restore import {shlex.quote(str(path))} --output {shlex.quote(output)}\n"
        "which reads only tensors and never runs code from the file."
    )


def _parse(path: Path, text: bytes) -> tuple[dict[str, Any], int]:
    """Return the header and the end of the last tensor, in bytes from the end of the header."""
    try:
        header = json.loads(text)
        if not isinstance(header, dict) or not isinstance(header.get(METADATA, {}), dict):
            raise TypeError
        end = max((_end(entry) for name, entry in header.items() if name != METADATA), default=0)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise WeightsError(f"{path}: not a safetensors file, or its header is damaged") from error
    return header, end


def _end(entry: Mapping[str, Any]) -> int:
    """Return where a tensor ends. Raises ValueError, TypeError or LookupError for an entry that contradicts itself."""
    first, last = entry["data_offsets"]
    shape = entry["shape"]
    numbers = [first, last, *shape]
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers) or len(shape) > _DIMENSIONS:
        raise ValueError
    each = _BYTES.get(entry["dtype"])
    if last < first or (each is not None and math.prod(shape) * each != last - first):
        raise ValueError
    return int(last)


def _plausible(start: bytes, size: int) -> bool:
    """Return whether eight bytes can be the header length of a file of ``size`` bytes."""
    length = int.from_bytes(start, "little")
    return len(start) == 8 and 2 <= length <= min(_HEADER_LIMIT, size - 8)
