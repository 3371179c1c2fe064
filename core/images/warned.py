"""Warnings about image files and folders, each logged once in a process. Imports no torch."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

_log = logging.getLogger(__name__)


@lru_cache(maxsize=4096)  # a server opens files without end
def warn_once(path: Path, message: str) -> None:
    """Log a warning about a file or a folder, unless this process has logged it."""
    _log.warning("%s: %s", path, message)
