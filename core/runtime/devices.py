"""Compute devices."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from restore.core.errors import UsageError


def name_device(device: torch.device) -> str:
    """Return the name of a device; the CPU has no number."""
    return "cpu" if device.type == "cpu" else str(device)


def device_of(requested: str) -> torch.device:
    """Return the device of a name, such as ``cpu`` or ``cuda:1``; ``auto`` selects a GPU if one is available.

    Raises UsageError if the device is not available.
    """
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if requested == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if here[name]))
    kind, _, number = requested.partition(":")
    if kind == "cuda" and here["cuda"] and number.isdecimal():
        count = torch.cuda.device_count()
        if int(number) < count:
            return torch.device(requested)
        raise UsageError(
            f"--device {requested}: there are {count} CUDA devices, counted from 0 (those that CUDA_VISIBLE_DEVICES "
            "leaves visible)"
        )
    if number:
        raise UsageError(
            f"--device {requested}: no CUDA device available; if there are GPUs, CUDA_VISIBLE_DEVICES chooses those "
            "that are visible"
        )
    if not here.get(requested, False):
        available = ", ".join(name for name in here if here[name])
        raise UsageError(f"--device {requested}: no {requested.upper()} device available (available: {available})")
    return torch.device(requested)


def device_of_worker(requested: str, number: int) -> torch.device:
    """Return the device of one of several processes: each has a GPU of its own, as long as there are enough.

    Args:
        requested: as in `device_of`; ``cuda:1`` is one GPU for all.
        number: index of the process.
    """
    device = device_of(requested)
    if device == torch.device("cuda") and (count := torch.cuda.device_count()) > 1:
        return torch.device("cuda", number % count)
    return device


def runs_channels_last(device: torch.device | str) -> bool:
    """Whether a device computes networks in the channels_last memory format that are faster in it elsewhere.

    All do but processors without AVX-512, whose kernels for it are slower: a step of UNet++ takes a fifth longer.
    """
    return torch.device(device).type != "cpu" or torch.backends.cpu.get_cpu_capability() != "AVX2"


def device_of_float64(device: torch.device) -> torch.device:
    """Return a device that supports float64: the device itself, or the CPU if it does not (Apple Metal)."""
    return torch.device("cpu") if device.type == "mps" else device


def in_float64(tensor: Tensor) -> Tensor:
    """Convert a tensor to float64, on its device if that supports float64, else on the CPU."""
    return tensor.to(device_of_float64(tensor.device)).double()


@contextlib.contextmanager
def strict_fp32() -> Iterator[None]:
    """Within the block cuDNN computes in full fp32 (TF32 off) and does not benchmark its kernels.

    By default torch lets convolutions use TF32 (10-bit mantissa) on GPUs; reported numbers must not depend on that.
    Benchmarking kernels pays off for thousands of equal inputs, such as crops, but not for images of different sizes.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.allow_tf32
    cudnn.benchmark, cudnn.allow_tf32 = False, False
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.allow_tf32 = before
