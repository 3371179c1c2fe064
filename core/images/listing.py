"""List the images of a folder in natural order. Imports no torch."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from restore.core.atomic import reason
from restore.core.errors import UsageError

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".dib"}
    | {".webp", ".gif", ".avif", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm"}
)
"""Suffixes of image files, in lower case."""


def list_images(folder: Path) -> list[Path]:
    """Return the images of a folder in natural order: 2 before 10.

    Skips hidden files, folders and files without an image suffix. Skips broken links and logs a warning about them.

    Raises:
        UsageError: the folder does not exist or contains no image.
    """
    try:
        shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
        files = [path for path in shown if path.is_file()]
    except FileNotFoundError as error:
        raise UsageError(f"{folder}: no such folder") from error
    except OSError as error:
        raise UsageError(f"{folder}: cannot be listed: {reason(error)}") from error
    images = [path for path in files if path.suffix.lower() in SUFFIXES]
    lost = sorted(path.name for path in shown if path.suffix.lower() in SUFFIXES and not path.exists())
    if lost:
        logging.getLogger(__name__).warning("%s: skipped broken links: %s", folder, ", ".join(lost))
    if not images:
        found = f"none of its {len(files)} files has an image suffix" if files else "the folder is empty"
        raise UsageError(f"{folder}: no images: {found}; supported: {', '.join(sorted(SUFFIXES))}")
    return sorted(images, key=counted)


def require_folder(path: Path) -> Path:
    """Return ``path`` if it is a folder. Raises UsageError if it is a file or does not exist."""
    if not path.is_dir():
        raise UsageError(f"{path}: {'is a file, not a folder' if path.exists() else 'no such folder'}")
    return path


def has_images(folder: Path) -> bool:
    """Return whether a folder contains visible files with an image suffix."""
    shown = (path for path in folder.iterdir() if not path.name.startswith("."))
    return any(path.suffix.lower() in SUFFIXES and path.is_file() for path in shown)


def counted(path: Path) -> list[tuple[int, int, str]]:
    """Return a sorting key for natural order, which compares digits in names as numbers."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part] + [(2, 0, path.name)]
