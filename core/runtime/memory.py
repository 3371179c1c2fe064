"""How much memory this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # cgroup v2, v1


def host_memory() -> float:
    """Return the memory of this machine in bytes, or that of its container if less; infinite if unknown."""
    return min([_physical(), *(_limit(Path(name)) for name in _LIMITS)])


def _physical() -> float:
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _limit(file: Path) -> float:
    try:
        return float(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # there is none, or "max"
        return float("inf")
