"""List the images of a folder in natural order. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from restore.core.atomic import reason
from restore.core.errors import UsageError
from restore.core.images.warned import warn_once

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".dib"}
    | {".webp", ".gif", ".avif", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm"}
)
"""Suffixes of image files, in lower case."""

SIDE_FILES = frozenset(
    {
        ".txt",
        ".md",
        ".rst",
        ".pdf",
        ".html",
        ".json",
        ".jsonl",
        ".csv",
        ".tsv",
        ".xml",
        ".xmp",
        ".yaml",
        ".yml",
        ".toml",
    }
    | {".ini", ".db", ".log", ".py", ".sh", ".bat", ".lst", ".zip", ".tar", ".gz", ".md5", ".sha256", ".lnk", ".url"}
)
"""Suffixes of files that lie beside images and that nobody takes for one."""

_NAMED = 3  # names in a message


def list_images(folder: Path, *, parts: bool = False, deeper: str = "") -> list[Path]:
    """Return the images of a folder in natural order: 2 before 10.

    Skips hidden files, sub-folders and files without an image suffix. A warning is logged about broken links, and about
    what may be images and is left out: files of other suffixes, and sub-folders with images.

    Args:
        folder: the folder.
        parts: whether its sub-folders are listed by themselves, so that no warning is due.
        deeper: what to do for the images in its sub-folders, for messages.

    Raises:
        UsageError: the folder does not exist or contains no image; the message names what it contains instead.
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
    inner = (
        [] if parts else sorted((path for path in shown if path.is_dir() and _holds_images(path)), key=make_natural_key)
    )
    if not images:
        raise UsageError(f"{folder}: no images: {_what_is_there(files, inner, deeper)}")
    if lost:
        warn_once(folder, f"skipped broken links: {', '.join(lost)}")
    others = [path for path in files if path.suffix.lower() not in SUFFIXES | SIDE_FILES]
    if others:
        warn_once(folder, f"left out {count_paths(others, 'file')} without an image suffix: {name_some(others)}")
    if inner:
        where = f"{count_paths(inner, 'sub-folder')}: {name_some(inner)}{deeper and f'; {deeper}'}"
        warn_once(folder, f"left out the images in {where}")
    return sorted(images, key=make_natural_key)


def _what_is_there(files: Sequence[Path], inner: Sequence[Path], deeper: str) -> str:
    """Return what a folder without images holds, and what to give instead."""
    if inner:
        example = f"; {deeper or f'give a sub-folder instead, such as {inner[0]}'}"
        return f"they are in {count_paths(inner, 'sub-folder')} ({name_some(inner)}){example}"
    supported = f"; supported: {', '.join(sorted(SUFFIXES))}"
    if not files:
        return f"the folder is empty{supported}"
    return f"none of its {len(files)} files has an image suffix ({name_some(files)}){supported}"


def _holds_images(folder: Path) -> bool:
    """Return whether a folder or one in it contains images; looks at most two folders deep."""
    try:
        shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
        if any(path.suffix.lower() in SUFFIXES and path.is_file() for path in shown):
            return True
        return any(has_images(path) for path in shown if path.is_dir())
    except OSError:
        return False


def count_paths(paths: Sequence[Path], word: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{len(paths)} {word}{'' if len(paths) == 1 else 's'}"


def name_some(paths: Sequence[Path]) -> str:
    """Return the names of the first few paths."""
    first = sorted(paths, key=make_natural_key)[:_NAMED]
    return ", ".join(path.name for path in first) + (", …" if len(paths) > _NAMED else "")


def require_folder(path: Path) -> Path:
    """Return ``path`` if it is a folder. Raises UsageError if it is a file or does not exist."""
    if not path.is_dir():
        raise UsageError(f"{path}: {'is a file, not a folder' if path.exists() else 'no such folder'}")
    return path


def has_images(folder: Path) -> bool:
    """Return whether a folder contains visible files with an image suffix."""
    shown = (path for path in folder.iterdir() if not path.name.startswith("."))
    return any(path.suffix.lower() in SUFFIXES and path.is_file() for path in shown)


def make_natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Return a sorting key for natural order, which compares digits in names as numbers."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part] + [(2, 0, path.name)]
