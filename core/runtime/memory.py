"""How much memory this process may use."""

from __future__ import annotations

import os

from restore.core.runtime.cgroups import read_limits


def host_memory() -> float:
    """Return the memory of this machine in bytes, or that of its container if less; infinite if unknown."""
    limits = read_limits("memory", "memory.max", "memory.limit_in_bytes")
    return min([_physical(), *(_as_bytes(text) for _, text in limits)])


def _physical() -> float:
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _as_bytes(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # "max"
        return float("inf")
