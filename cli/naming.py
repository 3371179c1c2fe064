"""Which pictures are meant, and what their results are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from restore.core.errors import UsageError
from restore.core.pictures.listing import list_pictures
from restore.core.settings import Settings

_NAMED = 5  # of many files that are in the way, only some are worth reading


def expanded(inputs: Sequence[Path]) -> list[Path]:
    """Every picture that is meant, once, folders taken apart. Raises UsageError for what is not there."""
    pictures: dict[Path, Path] = {}
    for given in inputs:
        if not given.exists():
            raise UsageError(f"{given}: no such file or folder")
        for path in list_pictures(given) if given.is_dir() else [given]:
            pictures.setdefault(path.resolve(), path)
    return list(pictures.values())


def stems(pictures: Sequence[Path]) -> dict[Path, str]:
    """What to call the results of each picture: its stem; where two have the same, ``a-jpg`` and ``a-png``.

    Raises UsageError where even these are the same: pictures of one name in two folders.
    """
    # Some file systems take A and a for the same name.
    shared = Counter(path.stem.casefold() for path in pictures)
    named = {path: path.stem if shared[path.stem.casefold()] == 1 else _with_kind(path) for path in pictures}
    first: dict[str, Path] = {}
    for path, stem in named.items():
        other = first.setdefault(stem.casefold(), path)
        if other != path:
            raise UsageError(
                f"{other} and {path} have the same name, and so would their results; "
                "use each on its own, with an --output of its own"
            )
    return named


def _with_kind(path: Path) -> str:
    return f"{path.stem}-{path.suffix.removeprefix('.').lower()}"


class InTheWay(UsageError):
    """A file has the name of a result, and may not be replaced."""


def paths_in(options: Settings | None) -> Iterator[Path]:
    """Files and folders that options name, such as masks: they are read, so that nothing may be written over them."""
    for name in type(options).model_fields if options is not None else ():
        value = getattr(options, name)
        if isinstance(value, Settings):
            yield from paths_in(value)
        yield from (each for each in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(each, Path))


def refuse_output(output: Path, read: Sequence[Path]) -> None:
    """Raise UsageError when results would stand in a folder that is read: the next time they would be read too."""
    if output.resolve() in {path.resolve() for path in read}:
        raise UsageError(f"--output {output}: an option names the same folder to read from; choose another --output")


def refuse_overwriting(targets: Sequence[Path], inputs: Sequence[Path], overwrite: bool) -> None:
    """Raise InTheWay when a target is an input, or is there already and may not be replaced."""
    originals = {path.resolve() for path in inputs}
    for target in targets:
        if target.resolve() in originals:
            raise InTheWay(f"{target}: would replace a picture that is to be read; choose another --output")
    there = [target for target in targets if target.exists()]
    if there and not overwrite:
        names = ", ".join(str(path) for path in there[:_NAMED]) + (", …" if len(there) > _NAMED else "")
        verb = "is" if len(there) == 1 else "are"
        raise InTheWay(f"{names} {verb} there already; choose another --output, or --overwrite")
