"""Write safetensors files, with the errors of the operating system."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor


def storable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as the format requires them: contiguous, on the CPU, without shared memory."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write storable tensors.

    Args:
        path: the file to write.
        tensors: tensors by name, from `storable`.
        metadata: text entries for the header.

    Raises:
        OSError: the system refused, for example because the disk is full.
    """
    try:
        save_file(dict(tensors), path, metadata=metadata)
    except SafetensorError as error:
        # the library wraps the system's error in its own message
        if found := re.search(r"(?:os error|code:) (\d+)", str(error)):  # the second until safetensors 0.6
            number = int(found[1])
            raise OSError(number, os.strerror(number), str(path)) from error
        raise
