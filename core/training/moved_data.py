"""Recognize the data of a run when they lie in another place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from restore.core.errors import ResumeError, UsageError
from restore.core.images.listing import SUFFIXES
from restore.core.settings import MayMove, Settings

_PART = 2**16  # bytes at the beginning and at the end of a file that are compared
_COMPARED = 4096  # files of a folder whose content is compared; of all others only name and size
_LISTS = frozenset({".txt", ".csv", ".json"})


def data_paths(settings: Settings, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and the path of every setting that says where data lie."""
    for name, info in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, Settings):
            yield from data_paths(value, (*prefix, name))
        elif isinstance(value, Path) and any(isinstance(mark, MayMove) for mark in info.metadata):
            yield ".".join((*prefix, name)), value


def hash_data(settings: Settings) -> dict[str, str]:
    """Return a hash of the content of the data by the name of the setting."""
    return {name: _hash(path) for name, path in data_paths(settings)}


def require_data(settings: Settings) -> None:
    """Raise UsageError for data of a resumed run that are not where they were."""
    for name, path in data_paths(settings):
        if not path.exists():
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{flag} {path}: no such file or folder; if the data moved, give their new place: {flag} PATH"
            )


def check_moved(run: Path, settings: Settings, before: Mapping[str, str], config: Mapping[str, object]) -> None:
    """Compare data that moved with those that a run has used.

    Args:
        run: the run folder.
        settings: settings of the resumed run.
        before: hashes of the data in the checkpoint, as `hash_data` returns them.
        config: settings of the run so far, in the form of the file.

    Raises:
        ResumeError: the content differs, or the run has recorded none.
    """
    for name, path in data_paths(settings):
        if path.absolute() == _path_in(config, name):
            continue
        flag = f"--{name.replace('_', '-')} {path}"
        if name not in before:
            raise ResumeError(f"{flag}: {run} did not record its data, so moved ones cannot be compared with them")
        if _hash(path) != before[name]:
            raise ResumeError(
                f"{flag}: these are not the data of {run}: their number, names, sizes or content differ. Give the same "
                "data, or start a new run on these with --init-from RUN/checkpoints"
            )


def _path_in(config: Mapping[str, object], name: str) -> Path | None:
    found: object = config
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return Path(found).absolute() if isinstance(found, str) else None


def _hash(path: Path) -> str:
    """Return a hash of a file, or of the names, sizes and content of the images and lists in a folder.

    Of large files only the beginning and the end count, and of large folders an even choice of the files, so that a run
    starts in seconds whatever its data.
    """
    digest = hashlib.sha256()
    if path.is_file():
        _add(digest, path)
        return digest.hexdigest()
    files = sorted(_files(path), key=os.fsencode)
    step = -(-len(files) // _COMPARED) or 1
    for number, file in enumerate(files):
        digest.update(os.fsencode(file.relative_to(path).as_posix()) + b"\0")
        try:
            digest.update(f"{file.stat().st_size}\0".encode())
            if number % step == 0:
                _add(digest, file)
        except OSError:
            digest.update(b"unreadable\0")
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if len(Path(place).relative_to(folder).parts) > 8:  # links may lead in circles
            folders.clear()
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES | _LISTS:
                yield Path(place) / name


def _add(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as file:
        digest.update(file.read(_PART))
        size = path.stat().st_size
        if size > _PART:
            file.seek(max(_PART, size - _PART))
            digest.update(file.read(_PART))
