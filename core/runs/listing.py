"""The runs of a folder, each with its size on the disk. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore.core.errors import RestoreError
from restore.core.runs.record import RunRecord, read_run


@dataclass(frozen=True)
class ListedRun:
    """A run in a list."""

    run: RunRecord
    disk: int
    """Bytes of everything in its folder."""

    def as_json(self) -> dict[str, Any]:
        """Return what ``restore runs --json`` tells of it."""
        run = self.run
        return {
            "path": str(run.path),
            "task": run.task,
            "state": run.state,
            "ending": run.ending,
            "epochs": run.epochs,
            "of_epochs": run.settings.get("epochs"),
            "seconds": run.seconds,
            "begun": run.begun or None,
            "bytes": self.disk,
            "metrics": run.best,
        }


def list_run_folders(folder: Path) -> list[Path]:
    """Return the runs in a folder by name, or the folder itself if it is one."""
    paths = [folder] if (folder / "config.yaml").is_file() else sorted(folder.glob("*"))
    return [path for path in paths if (path / "config.yaml").is_file()]


def list_runs(folders: Sequence[Path]) -> tuple[list[ListedRun], list[str]]:
    """Read run folders; return the runs, and what is wrong with those that cannot be read."""
    found, errors = [], []
    for path in folders:
        try:
            found.append(list_run(path))
        except RestoreError as error:
            errors.append(str(error))
    return found, errors


def list_run(path: Path) -> ListedRun:
    """Read one run folder. Raises what `read_run` raises."""
    return ListedRun(read_run(path), _measure_disk(path))


def _measure_disk(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
        except OSError:  # a checkpoint that a running run has just removed
            continue
    return total
