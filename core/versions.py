"""Versions of installed packages, and of those that plugins come from."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version


def find_version(distribution: str) -> str | None:
    """Return the version of a distribution, or None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def advise_installation(plugins: Mapping[str, str | None]) -> str:
    """Return how to install those of the requirements of plugins that are missing; empty if none is."""
    missing = [line for line in plugins.values() if line and find_version(line.partition("==")[0]) is None]
    if not missing:
        return ""
    return f"It needs what is not installed here: pip install {' '.join(map(shlex.quote, dict.fromkeys(missing)))}"
