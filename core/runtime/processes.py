"""What a process knows of the others of its run. Costs nothing to import."""

from __future__ import annotations

import os

FAILURES = "RESTORE_FAILURE_FOLDER"
"""Environment variable that names the folder into which a process writes why it failed, for the launcher to show."""


def launched() -> bool:
    """Whether this process is one of several that ``restore.core.runtime.launching.launch`` started."""
    return FAILURES in os.environ


def is_main_process() -> bool:
    """Whether this process speaks for a run of any number of processes, however they were started."""
    return int(os.environ.get("RANK", "0")) == 0


def how_many() -> int:
    """How many processes were started for a run, by ``--num-processes`` or another launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def how_many_here() -> int:
    """How many of them are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def launched_alone() -> bool:
    """Whether ``accelerate launch`` was asked for several processes and started one, as on CPUs without MPI."""
    return {"ACCELERATE_MIXED_PRECISION", "MASTER_ADDR"} <= os.environ.keys() and how_many() == 1


def report_failure(message: str, status: int) -> None:
    """Tell the launcher why this process fails; it shows the earliest of all."""
    import json
    import time
    from pathlib import Path

    path = Path(os.environ[FAILURES]) / f"{os.environ['RANK']}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"time": time.time(), "message": message, "status": status}), "utf-8")
    temporary.replace(path)
