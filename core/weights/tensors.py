"""Write tensors as safetensors, with the operating system's own errors."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor


def storable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as the format wants them: contiguous, on the CPU, and none sharing memory with another."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write storable tensors. Raises OSError where the system refuses, as when the disk is full."""
    try:
        save_file(dict(tensors), path, metadata=metadata)
    except SafetensorError as error:
        # the library wraps what the system said into a text of its own
        if found := re.search(r"(?:os error|code:) (\d+)", str(error)):  # the second until safetensors 0.6
            number = int(found[1])
            raise OSError(number, os.strerror(number), str(path)) from error
        raise
