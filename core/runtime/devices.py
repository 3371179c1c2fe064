"""Where to compute."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

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


def runs_channels_last(device: torch.device | str) -> bool:
    """Whether a device computes networks in the channels_last memory format that are faster in it elsewhere.

    All do but processors without AVX-512, whose kernels for it are slower: a step of UNet++ takes a fifth longer.
    """
    return torch.device(device).type != "cpu" or torch.backends.cpu.get_cpu_capability() != "AVX2"


def device_of_float64(device: torch.device) -> torch.device:
    """Where numbers of 64 bits can be worked with: the device itself, or the CPU where it has none (Apple Metal)."""
    return torch.device("cpu") if device.type == "mps" else device


def in_float64(tensor: Tensor) -> Tensor:
    """A tensor in float64, on its device where that has such numbers, else on the CPU."""
    return tensor.to(device_of_float64(tensor.device)).double()


@contextlib.contextmanager
def strict_fp32() -> Iterator[None]:
    """While the block runs, cuDNN computes in full fp32, and does not try all its kernels for each new size.

    torch lets convolutions round to the 10 bits of TF32 where a GPU is faster then; numbers to be trusted do not depend
    on that. Trying kernels pays when thousands of inputs are alike, as crops are; images to use a network on may each
    have a size of their own.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.allow_tf32
    cudnn.benchmark, cudnn.allow_tf32 = False, False
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.allow_tf32 = before
