"""Where to compute."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from restore.core.errors import UsageError


def shown(device: torch.device) -> str:
    """What to call a device: processors have no numbers."""
    return "cpu" if device.type == "cpu" else str(device)


def device_of(requested: str) -> torch.device:
    """The device of a name; ``auto`` is a graphics processor where there is one.

    Raises UsageError when this machine has none.
    """
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if requested == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if here[name]))
    if not here.get(requested, False):
        raise UsageError(f"--device {requested}: there is none here; there is {', '.join(n for n in here if here[n])}")
    return torch.device(requested)


@contextlib.contextmanager
def any_size() -> Iterator[None]:
    """While the block runs, cuDNN does not try all its kernels for each new size, as it does for crops of one size.

    That pays when thousands of inputs are alike; pictures to measure on may each have a size of their own.
    """
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
