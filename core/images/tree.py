"""List the images of a folder and of all folders in it. Imports no torch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from restore.core.atomic import reason
from restore.core.errors import UsageError
from restore.core.images.listing import SIDE_FILES, SUFFIXES, count_paths, make_natural_key, name_some, require_folder
from restore.core.images.warned import warn_once

SYSTEM_NAMES = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin", "lost+found"}
    | {"system volume information"}
)
"""Names, in lower case, of files and folders that operating systems and storage devices leave among images."""


@dataclass
class ImageTree:
    """The images of a folder and of the folders in it."""

    images: dict[Path, Path] = field(default_factory=dict)
    """Each image with its folder, relative to the one that was listed; folder by folder in natural order."""
    hidden: int = 0
    """How many hidden files and folders and ``SYSTEM_NAMES`` were skipped; what is in such a folder is not counted."""


def is_hidden(path: Path) -> bool:
    """Return whether a file or a folder is hidden, or belongs to an operating system."""
    return path.name.startswith(".") or path.name.casefold() in SYSTEM_NAMES


def list_tree(folder: Path, leave_out: Path | None = None) -> ImageTree:
    """List the images of a folder and of all folders in it. Links to folders are followed, but never in a circle.

    A warning is logged about broken links, about folders that cannot be listed, about files that may be images and lack
    the suffix of one, and about the folder that is left out.

    Args:
        folder: the folder.
        leave_out: a folder in it that is not looked into.

    Raises:
        UsageError: the folder does not exist, cannot be listed, or has no image in it.
    """
    tree = ImageTree()
    walk = _Walk(require_folder(folder), leave_out.resolve() if leave_out is not None else None, tree)
    for path, inside in walk.images(folder, Path(), ()):
        tree.images[path] = inside
    if not tree.images:
        seen = f" ({count_paths(walk.others, 'other file')}: {name_some(walk.others)})" if walk.others else ""
        raise UsageError(f"{folder}: no images in this folder or those in it{seen}")
    if walk.others:
        files = count_paths(walk.others, "file")
        warn_once(folder, f"left out {files} without an image suffix: {name_some(walk.others)}")
    if walk.broken:
        warn_once(folder, f"skipped {count_paths(walk.broken, 'broken link')}: {name_some(walk.broken)}")
    return tree


@dataclass
class _Walk:
    root: Path
    leave_out: Path | None
    tree: ImageTree
    others: list[Path] = field(default_factory=list)
    broken: list[Path] = field(default_factory=list)

    def images(self, folder: Path, inside: Path, above: tuple[Path, ...]) -> Iterator[tuple[Path, Path]]:
        """Yield the images of a folder and of those in it.

        Args:
            folder: the folder.
            inside: the same, relative to the root.
            above: the folders that it lies in, and itself, without links.
        """
        above = (*above, folder.resolve())
        try:
            found = sorted((Path(entry) for entry in os.scandir(folder)), key=make_natural_key)
        except OSError as error:
            if folder == self.root:
                raise UsageError(f"{folder}: cannot be listed: {reason(error)}") from error
            warn_once(folder, f"left out, because it cannot be listed: {reason(error)}")
            return
        folders = []
        for path in found:
            if is_hidden(path):
                self.tree.hidden += 1
            elif path.is_dir():
                folders.append(path)
            elif path.suffix.lower() not in SUFFIXES:
                self.others += [path] * (path.suffix.lower() not in SIDE_FILES)
            elif path.is_file():
                yield path, inside
            else:
                self.broken.append(path)
        for path in folders:
            real = path.resolve()
            if real == self.leave_out:
                warn_once(path, "left out, because the results go there")
            elif real in above:
                warn_once(path, f"left out: it is a link to {real}, in which it lies itself")
            else:
                yield from self.images(path, inside / path.name, above)
