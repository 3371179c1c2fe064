"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from restore.core.errors import RestoreError, UsageError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that becomes ``path`` when the block ends well, and vanishes when it does not.

    The content is on the disk before the name is: after a power cut there is the old file or the new one, never half
    of one. Raises RestoreError with a plain reason when the disk is full or the folder cannot be written to.
    """
    # The temporary name is short, since a stem of the longest legal length leaves no room for a suffix.
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
    """Make ``folder`` with its parents and prove that files can be written there.

    Raises UsageError when something that is no folder stands in the way, RestoreError when writing is refused: before
    an hour of work rather than after it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{folder}: is not a folder") from error
    except OSError as error:
        raise RestoreError(f"{folder}: cannot be made: {reason(error)}") from error
    probe = folder / f".{secrets.token_hex(8)}.part"
    try:
        probe.write_bytes(b"x")
    except OSError as error:
        raise RestoreError(f"{folder}: cannot be written to: {reason(error)}") from error
    finally:
        probe.unlink(missing_ok=True)
    return folder


def refuse_overwrite(path: Path, overwrite: bool) -> None:
    """Raise UsageError when something has this name already and must not be replaced; ask before the work is done."""
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: exists already; choose another name, or --overwrite")


def reason(error: OSError) -> str:
    """Why the operating system refused, in plain words."""
    plain = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EROFS: "the file system is read-only",
        errno.ENOENT: "no such folder",
        errno.ENOTDIR: "its folder is not a folder",
        errno.EISDIR: "a folder has this name",
    }
    return plain.get(error.errno or 0) or error.strerror or str(error)


def fsync(path: Path) -> None:
    """Put a file on the disk, or a folder's names, which only some systems can: then a rename survives a power cut."""
    if os.name != "posix" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
