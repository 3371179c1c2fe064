"""One process at a time trains a run: a lock that ends with its process, however that ends."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from restore.core.errors import UsageError

NAME = ".lock"
"""File in the run folder. A killed process leaves it behind; only the system's lock on it counts, which ends with the
process."""

_held: set[Path] = set()
"""The runs that this process has locked: another opening and closing of their files would end its locks."""


def is_locked(run: Path) -> bool:
    """Return whether a process trains a run now, as far as the system and the file system have locks."""
    if run.resolve() in _held:
        return True
    try:
        import fcntl  # there is none on Windows

        file = (run / NAME).open("r", encoding="utf-8")
    except (ImportError, OSError):
        return False  # nobody trains it, or nobody may know
    with file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in (errno.EACCES, errno.EAGAIN)
    return False


class RunLock:
    """Holds the lock of a run folder inside a ``with`` block, from `acquire` on."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._file: IO[str] | None = None

    def acquire(self, run: Path) -> None:
        """Lock a run folder, which must exist, until the block ends.

        Nothing is locked where the system or the file system has no locks.

        Raises:
            UsageError: another process holds the lock; the message names it.
        """
        try:
            import fcntl  # there is none on Windows
        except ImportError:
            return
        path = run / NAME
        while self._file is None:
            try:
                file = path.open("a+", encoding="utf-8")
            except OSError:
                return  # a read-only folder, which fails elsewhere with a better message
            try:
                # A lock of the process, not of the open file: data loading processes, which outlive a killed run for
                # some seconds, do not inherit it.
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                holder = file.read().strip()
                file.close()
                if error.errno in (errno.EACCES, errno.EAGAIN):
                    raise UsageError(
                        f"{run}: another process is training this run{f' ({holder})' if holder else ''}; wait until it "
                        "ends, or stop it"
                    ) from None
                return
            if not _is_same(file, path):
                file.close()  # the other process has just ended and removed it
                continue
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()
            self._path, self._file = path, file
            _held.add(run.resolve())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._file is not None and self._path is not None:
            _held.discard(self._path.parent.resolve())
            self._path.unlink(missing_ok=True)  # while it is locked, so that nobody holds a removed file unnoticed
            self._file.close()
            self._file = None


def _is_same(file: IO[str], path: Path) -> bool:
    """Return whether an open file is still the one of its path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False
