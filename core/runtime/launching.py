"""Start the processes of a run on this machine and end them together. Imports no torch."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from restore.core.runtime.processes import FAILURES, cores

INTERRUPTED = 130
"""Exit status of a process that Ctrl-C ended."""

GRACE = 30.0
"""Seconds that the other processes get to exit on their own after one has ended."""

GRACE_AFTER_FAILURE = 2.0
"""The same after a failure; the others would wait for a process that is gone."""


@dataclass(frozen=True)
class Outcome:
    """Result of the processes of a run."""

    status: int
    message: str | None
    """Message of the first process that failed; None if it ended without one, for example because it was killed."""
    rank: int | None
    """Index of the process that failed first."""


def launch(command: Sequence[str], processes: int) -> Outcome:
    """Run ``command`` in several connected processes and wait for them.

    Each process gets torch's usual variables (``RANK``, ``WORLD_SIZE``, …). Ctrl-C reaches all of them through the
    terminal, and SIGTERM is forwarded; both make the run save a checkpoint. If one process fails, the others are ended.
    """
    with tempfile.TemporaryDirectory(prefix="restore-") as failures, _reserve_port() as port:
        shared = _environment(processes, port, failures)
        children = [
            subprocess.Popen(command, env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)})
            for rank in range(processes)
        ]
        before = {
            number: signal.signal(number, _pass_on(children, number)) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            statuses = _wait(children)
        finally:
            for child in children:
                child.kill()
                child.wait()
            for number, handler in before.items():
                signal.signal(number, handler)
        return _outcome(statuses, Path(failures))


@contextmanager
def _reserve_port() -> Iterator[int]:
    """Keep a free port bound, so that no other program is given it; the main process of the run may still listen."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def _environment(processes: int, port: int, failures: str) -> Mapping[str, str]:
    threads = max(1, cores() // processes)
    return {
        "OMP_NUM_THREADS": str(threads),  # otherwise every process uses every core
        **os.environ,
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        FAILURES: failures,
    }


def _pass_on(children: Sequence[subprocess.Popen[bytes]], number: int) -> Callable[[int, FrameType | None], None]:
    def handler(received: int, frame: FrameType | None) -> None:  # noqa: ARG001
        for child in children:
            # the terminal sends Ctrl-C to all processes; a second one would mean "stop at once"
            if number == signal.SIGTERM and child.poll() is None:
                with suppress(ProcessLookupError):
                    child.send_signal(number)

    return handler


def _wait(children: Sequence[subprocess.Popen[bytes]]) -> list[int | None]:
    """Return exit statuses in order of rank; None for a process that had to be ended."""
    deadline: float | None = None
    while any(child.poll() is None for child in children):
        ended = [child.returncode for child in children if child.poll() is not None]
        if ended and deadline is None:
            deadline = time.monotonic() + (GRACE_AFTER_FAILURE if any(ended) else GRACE)
        if deadline is not None and time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return [child.poll() for child in children]


def _outcome(statuses: Sequence[int | None], failures: Path) -> Outcome:
    told = sorted(
        (report["time"], int(path.stem), report)
        for path in failures.glob("*.json")
        for report in [json.loads(path.read_text("utf-8"))]
    )
    if told:
        _, rank, report = told[0]
        return Outcome(int(report["status"]), str(report["message"]), rank)
    interrupted = [rank for rank, status in enumerate(statuses) if status in (INTERRUPTED, -signal.SIGINT)]
    if interrupted:  # too early to report it
        return Outcome(INTERRUPTED, "Interrupted.", interrupted[0])
    silent = [rank for rank, status in enumerate(statuses) if status not in (0, None)]
    if silent:
        return Outcome(1, None, silent[0])
    return Outcome(0 if all(status == 0 for status in statuses) else 1, None, None)
