"""Training precision: as requested, or as the hardware supports it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from restore.core.errors import UsageError

FAST_BF16 = frozenset({"amx_bf16", "avx512_bf16"})
"""CPU features, as named by Linux, that make bf16 faster than fp32. Without any of them torch still computes in bf16,
but several times slower."""


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[Any]:
    """Return the autocast context for a precision; it does nothing for fp32."""
    if precision == "fp32":
        return contextlib.nullcontext()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float16
    return torch.autocast(device_type=device.type, dtype=dtype)


def at_least_float32(x: Tensor) -> Tensor:
    """Convert ``x`` to float32 if its type is shorter; float64 is unchanged."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def in_full_precision(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a layer outside autocast, at least in float32; use it for layers that output colors, positions or scores.

    bfloat16 has 8 significant bits: near white it cannot represent neighboring levels of an 8-bit image.
    """
    on = torch.is_autocast_enabled(x.device.type)  # else no region, which a graph would keep
    with torch.autocast(device_type=x.device.type, enabled=False) if on else contextlib.nullcontext():
        result: Tensor = layer(at_least_float32(x))
    return result


def choose(requested: str, device: torch.device) -> str:
    """Return the precision of a run; ``auto`` selects bf16 if the device has bf16 instructions, else fp32.

    The result depends on the request and the hardware only, never on a measurement, so a run is reproducible.

    Raises:
        UsageError: the device does not support the requested precision.
    """
    if requested == "fp16" and device.type != "cuda":
        raise UsageError(f"--precision fp16 needs a CUDA device; this run is on {device.type}. Use bf16 or fp32")
    if requested != "auto":
        return requested
    return "bf16" if has_fast_bf16(device) else "fp32"


def has_fast_bf16(device: torch.device) -> bool:
    """Return whether a device should be faster in bf16 than in fp32, judged by its features.

    CUDA: compute capability 8.0 and later, and what ROCm supports. CPU: `FAST_BF16`, on Linux only. ARM CPUs with bf16
    do not count, because the gain differs between them. Apple Metal: no.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and not FAST_BF16.isdisjoint(cpu_features())


def cpu_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return the features of the CPU, as named by Linux; empty on other systems."""
    with contextlib.suppress(OSError):
        for line in cpuinfo.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("flags"):
                return frozenset(line.partition(":")[2].split())
    return frozenset()
