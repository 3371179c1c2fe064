"""What a folder of data consists of, by the names of its folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from restore.core.errors import UsageError
from restore.core.images.listing import has_images, list_images, require_folder
from restore.plugins.common.images.pairing import PAIRED

MASKS = "masks"
"""Name of the group of masks, and of their folder."""

Kind = Literal["images", "pairs", "images with masks"]

SPLITS = ("train", "training", "val", "valid", "validation", "test")
"""Names of folders that are splits of one set of data."""

_HINTS = (
    ("DIV2K_train_HR", "this is DIV2K: use --data {0}/DIV2K_train_HR, or link its folders as HR/ and LR/"),
    ("annotations", "this is ADE20K's layout: link images/training as images/ and annotations/training as masks/"),
    ("stage1_train", "this is the Data Science Bowl: use its folder stage1_train"),
    ("OriginalImages", "this is WebCaricature: align it first, with restore data align {0}/OriginalImages"),
)
"""Folders by which a published set is recognized, and what to do with it."""


@dataclass(frozen=True)
class Part:
    """The files of one split."""

    name: str
    """Name of the split; empty if the folder is not split."""
    folder: Path
    kind: Kind
    groups: dict[str, list[Path]]
    """Files by what they are: images; inputs and targets; images and masks."""


def find_parts(folder: Path) -> list[Part]:
    """Return the splits of a folder of data, or the folder as a whole.

    Raises UsageError if the folder does not exist or has none of the layouts; the message says what helps.
    """
    require_folder(folder)
    splits = [folder / name for name in SPLITS if (folder / name).is_dir()]
    if splits and not has_images(folder):
        return [_part(path, path.name) for path in splits]
    return [_part(folder, "")]


def _part(folder: Path, name: str) -> Part:
    for inputs, targets in PAIRED:
        there = [each for each in (inputs, targets) if (folder / each).is_dir()]
        if len(there) == 2:
            return Part(name, folder, "pairs", {each: list_images(folder / each) for each in there})
        if there and not has_images(folder):
            missing = targets if there == [inputs] else inputs
            raise UsageError(f"{folder}: has {there[0]}/ but no {missing}/; paired data needs both folders")
    if (folder / "images").is_dir() and (folder / MASKS).is_dir():
        groups = {each: list_images(folder / each) for each in ("images", MASKS)}
        return Part(name, folder, "images with masks", groups)
    if not has_images(folder):
        raise UsageError(f"{folder}: {'; '.join(_advice(folder))}")
    return Part(name, folder, "images", {"images": list_images(folder, parts=True)})


def _advice(folder: Path) -> Iterator[str]:
    inner = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    yield "no images here"
    hints = [hint.format(folder) for mark, hint in _HINTS if (folder / mark).is_dir()]
    yield from hints
    filled = [path.name for path in inner if has_images(path)]
    if filled and not hints:
        more = f" and {len(filled) - 3} more" if len(filled) > 3 else ""
        yield f"its sub-folders {', '.join(filled[:3])}{more} have images: name one of them, or collect them in one"
