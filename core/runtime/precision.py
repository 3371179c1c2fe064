"""Which arithmetic a run trains in: what is asked for, or what its hardware has instructions for."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from restore.core.errors import UsageError

FAST_BF16 = frozenset({"amx_bf16", "avx512_bf16"})
"""Features of a processor, as Linux names them, any of which multiplies bf16 faster than fp32. Without them torch
computes in bf16 all the same, several times as slowly."""


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """Mixed-precision context for a training step; none for fp32."""
    if precision == "fp32":
        return contextlib.nullcontext()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float16
    return torch.autocast(device_type=device.type, dtype=dtype)


def at_least_float32(x: Tensor) -> Tensor:
    """``x`` as float32 where its type is a shorter one; float64 stays."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def in_full_precision(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a layer outside autocast, in float32 at least: what decides a color, a place or a score.

    bfloat16 keeps 8 bits of a number: near white it cannot tell neighboring levels of an 8-bit image apart.
    """
    with torch.autocast(device_type=x.device.type, enabled=False):
        result: Tensor = layer(at_least_float32(x))
    return result


def choose(requested: str, device: torch.device) -> str:
    """The precision of a run: as requested; for ``auto`` bf16 where the device has instructions for it, else fp32.

    It is a function of what was asked for and of the hardware alone, never of a measurement: the same settings give
    the same run each time.

    Raises:
        UsageError: the device cannot do what was requested.
    """
    if requested == "fp16" and device.type != "cuda":
        raise UsageError(f"--precision fp16 needs a CUDA device; this run is on {device.type}. Use bf16 or fp32")
    if requested != "auto":
        return requested
    return "bf16" if has_fast_bf16(device) else "fp32"


def has_fast_bf16(device: torch.device) -> bool:
    """Whether a device multiplies bf16 faster than fp32, as far as its features tell.

    CUDA: compute capability 8.0 and later, and what ROCm supports. CPU: `FAST_BF16`, on Linux, which tells; an ARM
    processor with bf16 is not taken for one, since whether it pays differs from one to the next. Apple Metal: no.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and not FAST_BF16.isdisjoint(cpu_features())


def cpu_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Features of the processor, as Linux names them; none on other systems."""
    with contextlib.suppress(OSError):
        for line in cpuinfo.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("flags"):
                return frozenset(line.partition(":")[2].split())
    return frozenset()
