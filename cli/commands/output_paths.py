"""Which images ``restore predict`` reads, and the names of the files that it writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from restore.core.atomic import refuse_overwrite
from restore.core.errors import UsageError

if TYPE_CHECKING:
    from restore.core.settings import Settings

_LISTED = 5  # files in an error message


class OutputExists(UsageError):
    """A file to be written already exists, or is one of the inputs."""


def expand_inputs(inputs: Sequence[Path]) -> list[Path]:
    """Return every image once, folders replaced by their images. Links to one file are images of their own.

    Raises UsageError for a path that does not exist.
    """
    from restore.core.images.listing import list_images

    images: dict[Path, Path] = {}
    for given in inputs:
        if not given.exists():
            raise UsageError(f"{given}: no such file or folder")
        for path in list_images(given) if given.is_dir() else [given]:
            images.setdefault(path.parent.resolve() / path.name, path)
    return list(images.values())


def name_outputs(images: Sequence[Path]) -> dict[Path, str]:
    """Return the stem of each result: that of the image, or ``a-jpg`` and ``a-png`` if two have the same.

    Raises UsageError if even these are equal: images of one name in two folders.
    """
    # Some file systems do not distinguish A and a.
    count = Counter(path.stem.casefold() for path in images)
    names = {
        path: path.stem if count[path.stem.casefold()] == 1 else f"{path.stem}-{path.suffix[1:].lower()}"
        for path in images
    }
    first: dict[str, Path] = {}
    for path, name in names.items():
        other = first.setdefault(name.casefold(), path)
        if other != path:
            raise UsageError(
                f"{other} and {path} have the same name, so their results would too; "
                "process them one at a time, each with its own --output"
            )
    return names


def list_paths(options: Settings | None) -> Iterator[Path]:
    """Yield the files and folders in options, such as masks: they are read, so they must not be overwritten."""
    from restore.core.settings import Settings as AnySettings

    for name in type(options).model_fields if options is not None else ():
        value = getattr(options, name)
        if isinstance(value, AnySettings):
            yield from list_paths(value)
        yield from (each for each in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(each, Path))


def refuse_output_folder(output: Path, read: Sequence[Path]) -> None:
    """Raise UsageError if the output folder is one that is read: the next run would read the results too."""
    if output.resolve() in {path.resolve() for path in read}:
        raise UsageError(f"--output {output}: another option reads this folder; choose another --output")


def refuse_overwrites(targets: Sequence[Path], inputs: Sequence[Path], overwrite: bool) -> None:
    """Raise OutputExists if a target is an input, or exists and ``overwrite`` is False."""
    originals = {path.resolve() for path in inputs}
    for target in targets:
        if target.resolve() in originals:
            raise OutputExists(f"{target}: would replace an input; choose another --output")
    existing = [target for target in targets if target.exists()]
    if existing and not overwrite:
        names = ", ".join(map(str, existing[:_LISTED])) + (", …" if len(existing) > _LISTED else "")
        raise OutputExists(f"{names}: already exists; choose another --output, or replace with --overwrite")


def refuse_source(output: Path, source: Path, overwrite: bool) -> None:
    """Raise UsageError if a file is the one that is read, or if it exists and must not be replaced."""
    if output.exists() and output.samefile(source):
        raise UsageError(f"--output {output} is the file that is read; choose another name")
    refuse_overwrite(output, overwrite)
