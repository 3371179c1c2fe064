"""Share tasks among processes on this machine. Imports no torch.

Each process takes a task, reports, and takes the next, so that a slow one keeps no other waiting. A process that dies
costs the task that it had; another takes its place.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from restore.core.errors import ProcessFailed, RestoreError

GRACE = 5.0
"""Seconds that processes get to remove what they have begun, when the work ends early."""

_NEXT, _REPORT, _FAILED = "next", "report", "failed"


class Channel:
    """What a worker process has of its parent: tasks, and somebody to report to."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self.number = number
        """Index of the process, from 0."""

    def tasks(self) -> Iterator[Any]:
        """Yield tasks until there are no more."""
        while True:
            self._connection.send((_NEXT, None))
            task = self._connection.recv()
            if task is None:
                return
            yield task

    def report(self, content: Any) -> None:
        """Send something about the task in hand to the parent."""
        self._connection.send((_REPORT, content))


@dataclass
class _Worker:
    process: BaseProcess
    number: int
    task: int | None = None
    """Index of the task in hand."""
    told_to_end: bool = False


def share_tasks(
    work: Callable[..., None],
    arguments: tuple[Any, ...],
    tasks: Sequence[Any],
    count: int,
    *,
    received: Callable[[int, Any], None],
    died: Callable[[int, str], None],
) -> None:
    """Work on tasks in several processes, and wait until all are done.

    Ctrl-C reaches this process only; whatever ends it early ends the others, which then remove what they have begun.

    Args:
        work: a function of a module; called in each process with a `Channel` and the arguments. It prepares itself,
            then works on each of ``channel.tasks()``. An error that leaves it ends all the work.
        arguments: what it is given; they and the tasks are pickled.
        tasks: the tasks, none of which is None.
        count: number of processes.
        received: called with the index of a task, and with what its process reports.
        died: called with the index of a task whose process ended without finishing it, and words that say how.

    Raises:
        ProcessFailed: an error left ``work`` in one of the processes; with its message and exit status.
        RestoreError: a process died before it took a task.
    """
    waiting, workers = deque(enumerate(tasks)), dict[Connection, _Worker]()
    try:
        for number in range(min(count, len(tasks))):
            _start(workers, work, arguments, number)
        while workers:
            for connection in wait(list(workers)):
                assert isinstance(connection, Connection)
                worker = workers[connection]
                try:
                    kind, content = connection.recv()
                except (EOFError, OSError):
                    del workers[connection]
                    if _count_death(worker, died) and waiting:
                        _start(workers, work, arguments, worker.number)
                    continue
                if kind == _FAILED:
                    raise ProcessFailed(*content)
                if kind == _REPORT:
                    assert worker.task is not None
                    received(worker.task, content)
                    continue
                worker.task, task = waiting.popleft() if waiting else (None, None)
                worker.told_to_end = task is None
                with suppress(OSError):  # it has died: noticed above
                    connection.send(task)
    finally:
        _end([worker.process for worker in workers.values()])


def _start(
    workers: dict[Connection, _Worker],
    work: Callable[..., None],
    arguments: tuple[Any, ...],
    number: int,
) -> None:
    # "spawn", because a copy of a process that has used threads, as torch does, may hang.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, number, work, arguments), daemon=True)
    with _without_interrupts(), _patient_threads():
        process.start()
    theirs.close()  # or its end would never be seen
    workers[ours] = _Worker(process, number)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that are started within the block do not see Ctrl-C; this one gets it at the end of the block."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _patient_threads() -> Iterator[None]:
    """Threads of processes that are started within the block sleep while they wait, instead of keeping a core busy.

    Each process has as many threads as one alone would have, because sums are rounded by how many there are.
    """
    if "OMP_WAIT_POLICY" in os.environ:
        yield
        return
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    try:
        yield
    finally:
        del os.environ["OMP_WAIT_POLICY"]


def _count_death(worker: _Worker, died: Callable[[int, str], None]) -> bool:
    """Report a process that has ended; return whether another has to take its place."""
    worker.process.join()
    if worker.told_to_end:
        return False
    status = worker.process.exitcode or 0
    how = f"ended with status {status}"
    if status < 0:
        with suppress(ValueError):
            how = f"was killed ({signal.Signals(-status).name})"
    if worker.task is None:
        raise RestoreError(f"a worker process {how} before it began; fewer --workers need less memory")
    died(worker.task, how)
    return True


def _end(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(GRACE)
        if process.is_alive():
            process.kill()
            process.join()


def _run(connection: Connection, number: int, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Run ``work`` in a process of its own."""
    signal.signal(signal.SIGTERM, _leave)  # as an exception, so that half-written files are removed
    try:
        work(Channel(connection, number), *arguments)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent is gone
    except Exception as error:  # noqa: BLE001 - told to the parent
        status = getattr(error, "exit_status", 1)
        message = str(error) if hasattr(error, "exit_status") else f"{type(error).__name__}: {error}"
        with suppress(OSError):
            connection.send((_FAILED, (message, status)))


def _leave(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
    raise SystemExit(128 + number)
