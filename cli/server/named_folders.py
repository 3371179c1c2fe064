"""The folders that a server was started with, each under a name that stands for it in addresses and forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from restore.core.errors import UsageError


def label_folders(flag: str, folders: Sequence[Path]) -> dict[str, Path]:
    """Return folders by their names, numbered where several have one.

    Args:
        flag: the option that named them, for messages.
        folders: the folders.

    Raises:
        UsageError: one is missing, or is given twice.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{flag} {folder}: no such folder; make it first")
        if any(folder.resolve() == other.resolve() for other in found.values()):
            raise UsageError(f"{flag} {folder}: this folder is given twice; give each once")
        stem = re.sub(r"[^\w.-]+", "-", folder.resolve().name).strip("-.") or "folder"
        number, label = 1, stem
        while label in found:
            number += 1
            label = f"{stem}-{number}"
        found[label] = folder
    return found
