"""Which images ``restore predict`` processes, and what their results are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from restore.core.errors import RestoreError, UsageError

_DEEPER = "--recursive takes them, and keeps the tree"


@dataclass(frozen=True)
class Job:
    """One image to process."""

    path: Path
    name: str
    """Path of its results below the output folder, without suffix."""
    frame: int | None = None
    """Index of a frame; None: the first, with a warning if there are more."""
    shown: str = ""
    """What messages call it."""


@dataclass
class FoundImages:
    """The images among the inputs."""

    folders: dict[Path, Path] = field(default_factory=dict)
    """Each image with the folder of its results, relative to that of the output."""
    hidden: int = 0
    """How many hidden files and files of operating systems were skipped."""


def find_images(inputs: Sequence[Path], *, recursive: bool = False, output: Path | None = None) -> FoundImages:
    """Return every image once, folders replaced by their images. Links to one file are images of their own.

    Args:
        inputs: image files, and folders of them.
        recursive: whether the folders in a folder are looked into.
        output: the folder of the results, which is not looked into.

    Raises:
        UsageError: a path does not exist, a folder has no images, or the results would go into a folder whose tree is
            read.
    """
    found, seen = FoundImages(), set()
    for given in inputs:
        if not given.exists():
            raise UsageError(f"{given}: no such file or folder")
        for path, folder in _list(given, recursive, output, found).items():
            place = path.parent.resolve() / path.name
            if place not in seen:
                seen.add(place)
                found.folders[path] = folder
    return found


def _list(given: Path, recursive: bool, output: Path | None, found: FoundImages) -> Mapping[Path, Path]:
    from restore.core.images.listing import list_images
    from restore.core.images.tree import list_tree

    if not given.is_dir():
        return {given: Path()}
    if not recursive:
        return dict.fromkeys(list_images(given, deeper=_DEEPER), Path())
    if output is not None and output.resolve() == given.resolve():
        raise UsageError(f"--output {output}: is the folder that is read with --recursive; choose another --output")
    tree = list_tree(given, output)
    found.hidden += tree.hidden
    return tree.images


def name_outputs(folders: Mapping[Path, Path]) -> dict[Path, str]:
    """Return the path of each result without suffix: the stem of the image in its folder.

    Where two images in a folder have the same stem, they become ``a-jpg`` and ``a-png``.

    Args:
        folders: each image with the folder of its results, relative to that of the output.

    Raises UsageError if two images would still have the same result, such as those of one name in two folders.
    """
    plain = {path: folder / path.stem for path, folder in folders.items()}
    # Some file systems do not distinguish A and a.
    count = Counter(str(name).casefold() for name in plain.values())
    names = {
        path: str(
            name if count[str(name).casefold()] == 1 else folders[path] / f"{path.stem}-{path.suffix[1:].lower()}"
        )
        for path, name in plain.items()
    }
    first: dict[str, Path] = {}
    for path, name in names.items():
        other = first.setdefault(name.casefold(), path)
        if other != path:
            same = (
                "have the same name, so their results would too"
                if other.name.casefold() == path.name.casefold()
                else (f"would both be written as '{name}'")
            )
            raise UsageError(f"{other} and {path} {same}; process them one at a time, each with its own --output")
    return names


def list_jobs(
    names: Mapping[Path, str], frame: str | int | None, shown: Callable[[str], str] = lambda text: text
) -> list[Job]:
    """Return the images to process: each file, or each frame of it.

    Args:
        names: each image file with the path of its results.
        frame: ``all``, ``first``, the number of a frame from 1, or None.
        shown: returns what messages call a file.

    Raises UsageError if a frame of one image would have the same result as another image.
    """
    from restore.core.images.frames import frame_count

    if not isinstance(frame, str) or frame == "first":
        index = 0 if frame == "first" else None if frame is None else int(frame) - 1
        return [Job(path, name, index, shown(str(path))) for path, name in names.items()]
    jobs = []
    for path, name in names.items():
        try:
            count = frame_count(path)
        except RestoreError:
            count = 1  # reported when it is processed
        width = len(str(count))
        stems = [name] if count == 1 else [f"{name}-{number:0{width}}" for number in range(1, count + 1)]
        jobs += [Job(path, stem, number, shown(str(path))) for number, stem in enumerate(stems)]
    _refuse_equal(jobs)
    return jobs


def _refuse_equal(jobs: Sequence[Job]) -> None:
    first: dict[str, Job] = {}
    for job in jobs:
        other = first.setdefault(job.name.casefold(), job)
        if other is not job:
            raise UsageError(
                f"{other.path} and {job.path} would both be written as '{job.name}'; process them one at a time, each "
                "with its own --output"
            )
