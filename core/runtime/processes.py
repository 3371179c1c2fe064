"""What a process knows about the other processes of its run. Fast to import."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress

from restore.core.errors import UsageError
from restore.core.runtime.cgroups import read_limits

FAILURES = "RESTORE_FAILURE_FOLDER"
"""Environment variable with the folder into which a process writes its error, for the launcher to print."""


def is_launched() -> bool:
    """Return whether ``restore.core.runtime.launching.launch`` started this process."""
    return FAILURES in os.environ


def is_main_process() -> bool:
    """Return whether this is the main process of its run, independent of the launcher."""
    return int(os.environ.get("RANK", "0")) == 0


def how_many() -> int:
    """Return the number of processes of the run, started by ``--num-processes`` or another launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def how_many_here() -> int:
    """Return the number of processes of the run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def cores() -> int:
    """Return the number of CPU cores that this process may use; a quota of its container counts, rounded up."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([usable, *(math.ceil(quota) for quota in _quotas())]))


def _quotas() -> Iterator[float]:
    """Yield the limits of the container in cores."""
    for _, text in read_limits("cpu", "cpu.max", "cpu.cfs_quota_us"):
        quota, _, period = text.partition(" ")
        with suppress(ValueError):  # "max"
            cores_of_quota = float(quota) / float(period or 100_000)  # version 1 has the usual period in another file
            if cores_of_quota > 0:  # -1: none
                yield cores_of_quota


def is_launched_alone() -> bool:
    """Return whether ``accelerate launch`` started one process instead of several, as it does on CPUs without MPI."""
    return {"ACCELERATE_MIXED_PRECISION", "MASTER_ADDR"} <= os.environ.keys() and how_many() == 1


def refuse_unequal_shares(batch_size: int, accumulate: int, processes: int) -> None:
    """Raise UsageError if a batch cannot be split into equal micro-batches for each process.

    Args:
        batch_size: samples per optimizer step, of all processes together.
        accumulate: micro-batches per optimizer step.
        processes: how many processes share the batch.
    """
    shares = processes * accumulate
    if batch_size % shares:
        raise UsageError(
            f"--batch-size {batch_size} cannot be split equally among {processes} processes with --accumulate "
            f"{accumulate}; use a multiple of {shares}"
        )


def report_failure(message: str, status: int) -> None:
    """Report the error of this process to the launcher, which prints the earliest one."""
    import json
    import time
    from pathlib import Path

    path = Path(os.environ[FAILURES]) / f"{os.environ['RANK']}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"time": time.time(), "message": message, "status": status}), "utf-8")
    temporary.replace(path)
