"""Write files atomically."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from restore.core.errors import RestoreError, UsageError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to ``path``; rename it to ``path`` if the block succeeds, delete it otherwise.

    The content is flushed to disk before the rename. After a power cut either the old or the new file exists, never
    a partial one.

    Raises:
        RestoreError: the disk is full, the folder is not writable, or ``path`` is a device or a pipe; the message gives
            the reason.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        # the rename would replace the device itself
        raise RestoreError(f"{path}: cannot be written: it is not a regular file; choose another name")
    # The temporary name is short because a stem of maximum length leaves no room for a suffix.
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        fsync(path.parent)
    except OSError as error:
        raise RestoreError(f"{path}: cannot be written: {reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def writable_folder(folder: Path) -> Path:
    """Make ``folder`` with its parents and check, before any work is done, that it is writable.

    Raises:
        UsageError: a file has this name.
        RestoreError: the folder cannot be made or is not writable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{folder}: is not a folder") from error
    except OSError as error:
        raise RestoreError(f"{folder}: cannot be made: {reason(error)}") from error
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
    except OSError as error:
        raise RestoreError(f"{folder}: cannot be written to: {reason(error)}") from error
    return folder


def refuse_overwrite(path: Path, overwrite: bool) -> None:
    """Raise UsageError if ``path`` exists and ``overwrite`` is false; call it before the work is done."""
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: already exists; choose another name or add --overwrite")


def reason(error: OSError) -> str:
    """Return the operating system's reason in plain words."""
    plain = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EROFS: "the file system is read-only",
        errno.ENOENT: "no such folder",
        errno.ENOTDIR: "its parent is a file, not a folder",
        errno.EISDIR: "it is a folder",
    }
    return plain.get(error.errno or 0) or error.strerror or str(error)


def fsync(path: Path) -> None:
    """Flush a file to disk, or a folder's names where the system can: a rename then survives a power cut.

    A folder that cannot be flushed is no error. Network and virtual file systems refuse it, and what is written is
    written. Raises OSError if a file cannot be flushed.
    """
    folder = path.is_dir()
    if os.name != "posix" and folder:
        return
    with suppress(OSError) if folder else nullcontext():
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
