"""Measure time, memory and quality of the first command of every family on this machine.

    python benchmarks/first_commands.py                        all of them, in fp32 on two threads
    python benchmarks/first_commands.py lbam inpaint-gan       some of them
    python benchmarks/first_commands.py --keep runs/           and keep their run folders

Each command runs as a user would type it, on the sample. The table shows the seconds from start to end (including the
start of Python), the peak of resident memory, and the first metric of the run for its baselines and phases. Rows are
printed when they are done; the exit status is 1 if a run failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "restore.cli")
"""What is started for ``restore``."""

FIRST: Mapping[str, int] = {
    "srgan": 20, "restorer": 10, "vae": 10, "nested-unet": 5, "lbam": 10, "inpaint-gan": 10, "warpgan": 5,
}  # fmt: skip
"""Tasks, and the epochs of their first command."""

HEADING = "| command | seconds | peak memory | metric | baselines and phases |\n|---|---|---|---|---|"


@dataclass(frozen=True)
class Row:
    """Results of one command."""

    command: str
    seconds: float
    peak: int
    """Bytes of resident memory, at most, of the process or of one that it started."""
    status: int
    metric: str
    values: Mapping[str, float | None]
    """Of the baselines, then of the phases."""

    def __str__(self) -> str:
        values = ", ".join(f"{of} {'none' if value is None else f'{value:.4g}'}" for of, value in self.values.items())
        told = f"exit status {self.status} |" if self.status else f"{self.metric} | {values}"
        return f"| `{self.command}` | {self.seconds:.0f} | {self.peak / 2**30:.2f} GiB | {told} |"


def headline(summary: Mapping[str, Any]) -> tuple[str, dict[str, float | None]]:
    """Return name and convention of a summary's first metric, and its values by method or phase."""
    first = summary["metrics"][0]
    own = [number for number in summary["metrics"] if number["name"] == first["name"]]
    return f"{first['name']} ({first['convention']})", {number["of"]: number["value"] for number in own}


def measure(task: str, extra: Sequence[str], out: Path, threads: int) -> Row:
    """Run a task's first command in a process of its own."""
    typed = ["train", task, "--epochs", str(FIRST[task])]
    where = ["--out", str(out), "--name", task]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    begun = time.perf_counter()
    process = subprocess.Popen([*PROGRAM, *typed, *extra, *where], env=environment, stdout=subprocess.DEVNULL)
    status, peak = _wait_for(process)
    seconds, command = time.perf_counter() - begun, " ".join(["restore", *typed])
    if status:
        return Row(command, seconds, peak, status, "", {})
    summary = json.loads((out / task / "summary.json").read_text("utf-8"))
    return Row(command, seconds, peak, status, *headline(summary))


def _wait_for(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Return exit status and peak memory in bytes of a process; None if the system does not report it."""
    if not hasattr(os, "wait4"):
        return process.wait(), 0
    _, waited, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(waited)
    return process.returncode, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def processor() -> str:
    """Return the processor's name."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"some of {', '.join(FIRST)}; default: all")
    parser.add_argument("--precision", default="fp32", help="arithmetic of training (default: fp32)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each run (default: 2)")
    parser.add_argument("--keep", type=Path, help="folder in which the run folders are kept")
    chosen = parser.parse_args(arguments)
    if unknown := [task for task in chosen.tasks if task not in FIRST]:
        parser.error(f"{unknown[0]} is none of {', '.join(FIRST)}")
    print(f"{processor()}, {chosen.threads} threads, {chosen.precision}\n\n{HEADING}", flush=True)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for task in chosen.tasks or FIRST:
            row = measure(task, ["--precision", chosen.precision], chosen.keep or Path(folder), chosen.threads)
            print(row, flush=True)
            failed = failed or row.status != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
