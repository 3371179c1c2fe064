"""Which arithmetic a run trains in: what is asked for, or what is measured to be fast on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from restore.core.errors import UsageError

WORTH_IT = 1.15
"""How many times faster bf16 must be than fp32 before ``auto`` takes it."""


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
    """Apply a layer outside autocast, in float32 at least: what decides a colour, a place or a score.

    bfloat16 keeps 8 bits of a number: near white it cannot tell neighbouring levels of an 8-bit picture apart.
    """
    with torch.autocast(device_type=x.device.type, enabled=False):
        result: Tensor = layer(at_least_float32(x))
    return result


def cache_folder() -> Path:
    """The user's cache folder of restorekit: ``$XDG_CACHE_HOME`` or ``~/.cache``, then ``restorekit``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "restorekit"


def choose(requested: str, device: torch.device) -> str:
    """The precision of a run: as requested, or for ``auto`` the faster of bf16 and fp32 on this device.

    Raises:
        UsageError: the device cannot do what was requested.
    """
    if requested == "fp16" and device.type != "cuda":
        raise UsageError(f"--precision fp16 needs a CUDA device; this run is on {device.type}. Use bf16 or fp32")
    if requested != "auto":
        return requested
    return "bf16" if probe(device)["speedup"] >= WORTH_IT else "fp32"


def probe(device: torch.device) -> dict[str, Any]:
    """How much faster bf16 trains than fp32 here: ``{"device", "speedup", "measured"}``.

    Measured once for a device and torch version (about a second) and kept in the cache folder; ``measured`` says
    whether it was measured just now.
    """
    key = f"{_device_name(device)}, torch {torch.__version__}, {torch.get_num_threads()} threads"
    path = cache_folder() / "precision.json"
    known = _read(path)
    if key in known:
        return {"device": key, "speedup": known[key], "measured": False}
    speedup = _bf16_speedup(device)
    if speedup:  # it may have failed for want of memory, which is not so for ever
        _write(path, {**known, key: speedup})
    return {"device": key, "speedup": speedup, "measured": True}


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "cpu":
        with contextlib.suppress(OSError):
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
                if line.startswith("model name"):
                    return f"{line.partition(':')[2].strip()} {_cpu_features()}".strip()
        return platform.processor() or platform.machine()
    return device.type


def _cpu_features() -> str:
    # virtual machines of one name may or may not pass these through
    flags = Path("/proc/cpuinfo").read_text("utf-8")
    return " ".join(flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags)


def _bf16_speedup(device: torch.device) -> float:
    # small pictures would only show how fast a GPU starts its kernels
    side, layout = (24, torch.contiguous_format) if device.type == "cpu" else (128, torch.channels_last)
    with torch.random.fork_rng(devices=[]):
        body = nn.Sequential(*(layer for _ in range(4) for layer in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())))
        body.to(device).to(memory_format=layout)
        picture = torch.rand(8, 64, side, side).to(device, memory_format=layout)
    try:
        return round(_seconds(body, picture, "fp32") / _seconds(body, picture, "bf16"), 2)
    except RuntimeError:  # a device without bf16 says so when it is asked to compute in it
        return 0.0


def _seconds(body: nn.Module, picture: Tensor, precision: str) -> float:
    """Best time of a forward and backward pass."""

    def once() -> float:
        start = time.perf_counter()
        with autocast(picture.device, precision):
            loss = body(picture).float().square().mean()
        loss.backward()
        loss.item()  # waits for the device
        return time.perf_counter() - start

    for _ in range(3):
        once()
    return min(once() for _ in range(8))


def _read(path: Path) -> dict[str, float]:
    try:
        known = json.loads(path.read_text("utf-8"))
        return {str(key): float(value) for key, value in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # a cache that cannot be read is measured anew


def _write(path: Path, known: dict[str, float]) -> None:
    with contextlib.suppress(OSError):  # a machine without a writable home measures each time
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(known, indent=1), "utf-8")
        temporary.replace(path)
