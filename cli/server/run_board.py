"""The runs of the named folders, kept up to date by one watcher while somebody looks at them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.exceptions import NotFound

from restore.cli.server.changes import Changes
from restore.core.errors import RestoreError
from restore.core.reports.samples import epoch_of
from restore.core.runs.folder import RunFolder
from restore.core.runs.listing import ListedRun, list_run, list_run_folders
from restore.core.runs.lock import is_locked

PAUSE = 1.0
"""Seconds between two looks at the folders."""
SHORTEST = 0.2
"""Seconds between two looks while a training of this server writes lines."""
SHARE = 20
"""A look that takes long is followed by a pause this many times as long."""
FRESH = 0.3
"""Seconds for which a look is new enough for a request."""


@dataclass(frozen=True)
class KnownRun:
    """One run as it was found last."""

    id: str
    """``FOLDER:NAME``, in which FOLDER stands for one of the named folders."""
    listed: ListedRun
    version: int
    """Number of the change that brought it."""
    signature: tuple[object, ...]
    """Equal as long as nothing that is shown changed."""

    @property
    def folder(self) -> RunFolder:
        """Its files."""
        return RunFolder(self.listed.run.path)

    def as_json(self) -> dict[str, Any]:
        """Return what a client may know in a list."""
        run = self.listed.run
        described = {name: value for name, value in self.listed.as_json().items() if name != "path"}
        sheets = run.sheets
        return {
            "id": self.id,
            "name": self.id.partition(":")[2],
            "version": self.version,
            **described,
            "warnings": run.warnings,
            "sheet": epoch_of(sheets[-1]) if sheets else None,
            "report": self.folder.report.is_file(),
        }


class RunBoard:
    """Knows the runs. A thread looks at the folders, only while somebody watches; all clients share what it finds.

    Args:
        folders: the named folders by their names in identifiers.
        changes: is told of each change.
    """

    def __init__(self, folders: Mapping[str, Path], changes: Changes) -> None:
        self.folders, self._changes = dict(folders), changes
        self._runs: dict[str, KnownRun] = {}
        self._problems: dict[str, tuple[tuple[object, ...], str]] = {}
        self._watchers, self._hurried = 0, False
        self._looking, self._looked = threading.Lock(), -FRESH
        self._thread = threading.Thread(target=self._watch, name="runs", daemon=True)
        self._thread.start()

    def runs(self) -> list[KnownRun]:
        """Return the runs as they are now."""
        self._look_unless_fresh()
        return self.known()

    def known(self) -> list[KnownRun]:
        """Return the runs as they were found last."""
        with self._changes.lock:
            return list(self._runs.values())

    def problems(self) -> list[str]:
        """Return why runs that were found are not listed."""
        with self._changes.lock:
            return [message for _, message in self._problems.values()]

    def find(self, identifier: str) -> KnownRun:
        """Return a run as it is now. Raises NotFound if there is none."""
        self._look_unless_fresh()
        with self._changes.lock:
            if identifier not in self._runs:
                raise NotFound(f"no run is called {identifier!r}; GET /api/runs lists what there is")
            return self._runs[identifier]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within the block the runs are kept up to date."""
        with self._changes.lock:
            self._watchers += 1
        self._look_unless_fresh()
        self._changes.note()  # wakes the watcher
        try:
            yield
        finally:
            with self._changes.lock:
                self._watchers -= 1

    def hurry(self) -> None:
        """Look soon: a training that this server started wrote something."""
        with self._changes.lock:
            self._hurried = True
        self._changes.note()

    def close(self) -> None:
        """Wait for the watcher, after the changes were closed."""
        self._thread.join()

    def _watch(self) -> None:
        while self._changes.wait_for(lambda: self._watchers > 0) and not self._changes.closed:
            with self._changes.lock:
                self._hurried = False
            began = time.monotonic()
            self.look()
            took = time.monotonic() - began
            self._changes.wait_for(lambda: False, max(SHORTEST, SHARE * took))
            self._changes.wait_for(lambda: self._hurried, PAUSE)

    def _look_unless_fresh(self) -> None:
        if time.monotonic() - self._looked > FRESH:
            self.look()

    def look(self) -> None:
        """Compare the folders with what is known."""
        with self._looking:
            found = {f"{label}:{_name(path)}": path for label, folder in self.folders.items() for path in _list(folder)}
            for identifier, path in found.items():
                self._update(identifier, path)
            with self._changes.lock:
                gone = (self._runs.keys() | self._problems.keys()) - found.keys()
                for identifier in gone:
                    self._runs.pop(identifier, None)
                    self._problems.pop(identifier, None)
                if gone:
                    self._changes.note()
                self._runs = {each: self._runs[each] for each in found if each in self._runs}
            self._looked = time.monotonic()

    def _update(self, identifier: str, path: Path) -> None:
        signature = _sign(path)
        with self._changes.lock:
            known, problem = self._runs.get(identifier), self._problems.get(identifier)
        if signature in (known.signature if known else None, problem[0] if problem else None):
            return
        try:
            listed = list_run(path)
        except (RestoreError, OSError) as error:
            with self._changes.lock:
                self._runs.pop(identifier, None)
                self._problems[identifier] = (signature, str(error))
                self._changes.note()
            return
        with self._changes.lock:
            self._problems.pop(identifier, None)
            self._runs[identifier] = KnownRun(identifier, listed, self._changes.note(), signature)


def _list(folder: Path) -> list[Path]:
    try:
        return list_run_folders(folder)
    except OSError:  # it was removed meanwhile
        return []


def _name(path: Path) -> str:
    """Return the name of a run; bytes that are no UTF-8 become replacement characters."""
    return path.resolve().name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _sign(path: Path) -> tuple[object, ...]:
    folder = RunFolder(path)
    files = (folder.config, folder.log, folder.history, folder.summary, folder.report, folder.samples)
    return (is_locked(path), *map(_stat, files))


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
