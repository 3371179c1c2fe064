"""The folder of a run: its layout, and atomic writes, so that a killed process leaves no partial files."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from restore.core.atomic import atomic_write, reason
from restore.core.errors import UsageError
from restore.core.json_text import dump_json
from restore.core.runs.lock import NAME as LOCK
from restore.core.runs.lock import RunLock
from restore.core.settings import RunSettings
from restore.core.versions import find_version
from restore.core.yaml_text import InvalidYaml, parse_yaml

_log = logging.getLogger(__name__)

RUN_KEY = "run"
"""Top-level key of ``config.yaml`` with facts about the run; it is not a setting."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a small file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


class RunFolder:
    """Paths of all files in a run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.log = path / "metrics.jsonl"
        self.table = path / "log.csv"
        self.samples = path / "samples"
        self.checkpoints = path / "checkpoints"
        self.best = path / "best.safetensors"
        self.last = path / "last.safetensors"
        self.summary = path / "summary.json"
        self.history = path / "history.jsonl"
        self.report = path / "report.html"
        self.progress = path / "progress.png"

    def best_of(self, phase: str) -> Path:
        """Return the weights file with the best networks of a phase."""
        return self.path / f"best-{phase}.safetensors"

    def start_of_next(self, phase: str) -> Path:
        """Return the file with all best networks of a phase, discriminators too; the next phase starts from it."""
        return self.checkpoints / f"best-{phase}.safetensors"

    def create(self) -> None:
        """Make the folders."""
        for folder in (self.samples, self.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)


def new_run_folder(
    settings: RunSettings, task: str, lock: RunLock | None = None, notice: Callable[[str], None] = _log.warning
) -> RunFolder:
    """Make the folder of a new run: ``<out>/<task>-<time>``, or ``<out>/<name>``.

    A run of this name that ended before its first checkpoint is replaced.

    Args:
        settings: settings of the run.
        task: full name of the task.
        lock: acquires the lock of a folder that is replaced.
        notice: called with a message if a folder is replaced.

    Raises:
        UsageError: the named folder exists and is not empty, or cannot be made.
    """
    name = settings.name or f"{task.rpartition('/')[2]}-{time.strftime('%Y%m%d-%H%M%S')}"
    path = settings.out / name
    if settings.name is not None and path.is_dir() and _is_abandoned(path):
        (lock or RunLock()).acquire(path)
        _clear(path)
        notice(f"{path} held a run that ended before its first checkpoint; it is replaced")
    elif settings.name is not None and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(f"{path} already exists; continue it with --resume {path}, or choose another --name or --out")
    try:
        folder = RunFolder(path if settings.name else _find_unused(path))
        folder.create()
    except OSError as error:
        raise UsageError(f"cannot make the run folder {path}: {reason(error)}; choose another --out") from None
    return folder


_OF_A_BEGUN_RUN = frozenset(
    {
        *("config.yaml", "metrics.jsonl", "log.csv", "history.jsonl", "summary.json", "samples", "checkpoints"),
        *("tensorboard", "report.html", "progress.png", LOCK),
    }
)
"""What a run has before its first checkpoint."""


def _is_abandoned(path: Path) -> bool:
    """Return whether a folder holds a run without a checkpoint and without weights, and nothing else."""
    names = {found.name for found in path.iterdir()}
    if "config.yaml" not in names or not names <= _OF_A_BEGUN_RUN:
        return False
    checkpoints = path / "checkpoints"
    return not checkpoints.is_dir() or all(found.name.startswith(".writing-") for found in checkpoints.iterdir())


def _clear(path: Path) -> None:
    for found in path.iterdir():
        if found.name == LOCK:
            continue
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink()


def _find_unused(path: Path) -> Path:
    """Make ``path``, or ``path-2``, …: the first unused one, even if another run starts in the same second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, free = 1, path
    while True:
        try:
            free.mkdir()
        except FileExistsError:
            number += 1
            free = path.with_name(f"{path.name}-{number}")
        else:
            return free


def write_config(
    folder: RunFolder, settings: RunSettings, task: str, device: str, plugins: Mapping[str, str | None]
) -> None:
    """Write every setting, and under ``run`` what else the run depends on.

    Args:
        folder: the run folder.
        settings: every setting of the run.
        task: full name of the task.
        device: what it runs on.
        plugins: the requirement of every plugin that it needs, as ``{"srgan": "restorekit==0.1.0"}``.
    """
    config = {
        RUN_KEY: {"task": task, "plugins": dict(plugins), **environment(device)},
        **settings.model_dump(mode="json"),
    }
    write_atomically(
        folder.config, yaml.safe_dump(config, sort_keys=False, allow_unicode=True).encode("utf-8", "surrogateescape")
    )


def read_config(run: Path) -> dict[str, Any]:
    """Return the settings of a run, in the form of the file."""
    config = read_yaml(run)
    config.pop(RUN_KEY, None)
    return config


def read_task(run: Path) -> str:
    """Return the full name of the task that a run trains."""
    about = read_yaml(run).get(RUN_KEY)
    if not isinstance(about, Mapping) or "task" not in about:
        raise UsageError(f"{run / 'config.yaml'} does not name its task; give a run folder that restore train made")
    return str(about["task"])


def read_version(run: Path) -> str | None:
    """Return the version of restorekit that began a run, if its config tells."""
    about = read_yaml(run).get(RUN_KEY)
    version = about.get("restorekit") if isinstance(about, Mapping) else None
    return str(version) if version is not None else None


def read_plugins(run: Path) -> dict[str, str | None]:
    """The requirement of every plugin that a run needs, as far as its config says."""
    about = read_yaml(run).get(RUN_KEY)
    plugins = about.get("plugins") if isinstance(about, Mapping) else None
    return plugins if isinstance(plugins, dict) else {}


def read_yaml(run: Path) -> dict[str, Any]:
    """Return the whole ``config.yaml`` of a run: its settings, and facts under `RUN_KEY`."""
    path = run / "config.yaml"
    try:
        config = parse_yaml(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{run} is not a run folder: it contains no config.yaml") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}") from None
    except InvalidYaml as error:
        where = f" (line {error.line})" if error.line is not None else ""
        raise UsageError(f"{path} cannot be read{where}: {error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} cannot be read: it is not a UTF-8 text file") from None
    if not isinstance(config, dict):
        raise UsageError(f"{path} contains no settings")
    return config


def environment(device: str) -> dict[str, Any]:
    """Return versions, device and git revision, if known."""
    named = ("restorekit", "torch", "torchvision", "accelerate", "numpy", "pillow", "scikit-image")
    return {
        **{name: find_version(name) for name in named},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device,
        "git": _git_revision(),
    }


def _git_revision() -> str | None:
    """Return the revision of a checkout that this program runs from; None if it was installed otherwise."""
    here = Path(__file__).resolve()
    command = ["git", "-C", str(here.parent)]
    try:
        # An installation may lie inside somebody else's repository, which does not track it.
        subprocess.run(
            [*command, "ls-files", "--error-unmatch", here.name], capture_output=True, check=True, timeout=10
        )
        describe = [*command, "describe", "--always", "--dirty", "--abbrev=40"]
        done = subprocess.run(describe, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


class Log:
    """``metrics.jsonl``: one JSON object per line; truncated to the last checkpoint when a run is resumed."""

    def __init__(self, path: Path, position: int | None = None) -> None:
        self._file = path.open("ab+")
        if position is not None:
            self._cut(position)

    def _cut(self, position: int) -> None:
        length = self._file.seek(0, os.SEEK_END)
        if length < position:
            _log.warning("%s is shorter than at the checkpoint; appending to what is left", self._file.name)
            self._file.seek(0)
            position = self._file.read().rfind(b"\n") + 1
        self._file.truncate(position)
        self._file.seek(0, os.SEEK_END)

    def write(self, line: Mapping[str, Any]) -> None:
        """Append one line; infinite and NaN become null."""
        self._file.write(dump_json(line, indent=None).encode() + b"\n")
        self._file.flush()

    def position(self) -> int:
        """Return the length of the log on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
