"""The queue of a server: jobs wait for one worker, tell their progress, and are forgotten after a while."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from restore.cli.server.catalog import ServedModel
from restore.cli.task_options import PredictRequest
from restore.core.errors import RestoreError
from restore.core.settings import Settings
from restore.core.specs import ClassMaps

State = Literal["waiting", "running", "done", "failed", "canceled"]

ENDED: tuple[State, ...] = ("done", "failed", "canceled")


class QueueFull(RestoreError):
    """There is no room for another job; a client may try again later."""


class Canceled(RestoreError):
    """The job was canceled."""


@dataclass(frozen=True)
class Result:
    """One file of a result."""

    path: Path
    name: str
    """What to call it, as ``restore predict`` would."""
    part: str
    """Empty for the image itself."""
    height: int
    width: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a client asks for."""

    model: ServedModel
    folder: Path
    """Holds all files of the job, and nothing else."""
    image: Path
    name: str
    """What the client calls the image, without folder."""
    uploads: dict[Path, str]
    """Every uploaded file, with the name that the client gave it."""
    options: Settings
    request: PredictRequest


@dataclass
class Job:
    """One image for one model. `JobQueue` changes it; others read."""

    work: Work
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "waiting"
    done: int = 0
    total: int = 0
    message: str = ""
    """Why it failed."""
    status: int = 0
    """HTTP status of the failure."""
    warnings: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    classes: ClassMaps | None = None
    """Which files are maps of classes."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """Options that the model chose for the image, by name."""
    version: int = 0
    """Grows with each change."""
    watchers: int = 0
    touched: float = field(default_factory=time.monotonic)
    """When a client last asked for it."""

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ENDED

    def scrub(self, text: str) -> str:
        """Return a message in which files have the names that the client gave them."""
        for path, name in self.work.uploads.items():
            text = text.replace(str(path), name)
        return text.replace(f"{self.work.folder}/", "")

    def as_json(self, ahead: int = 0) -> dict[str, Any]:
        """Return what a client may know."""
        files = [
            {"name": each.name, "part": each.part, "width": each.width, "height": each.height, "bytes": each.bytes}
            for each in self.results
        ]
        return {
            "id": self.id,
            "model": self.work.model.id,
            "image": self.work.name,
            "state": self.state,
            "ahead": ahead,
            "done": self.done,
            "total": self.total,
            "message": self.message,
            "warnings": list(self.warnings),
            "files": files,
            "classes": asdict(self.classes) if self.classes is not None else None,
            "chosen": dict(self.chosen),
        }


@dataclass(frozen=True)
class Limits:
    """What a queue holds at most."""

    waiting: int = 32
    """Jobs that wait or run, and uploads that are on their way."""
    kept: int = 256
    """Jobs that ended and whose results can be fetched."""
    kept_bytes: int = 4 * 2**30
    """Size of all results."""
    kept_seconds: float = 900.0
    """How long a result is kept after it was last asked for."""
    patience: float = 30.0
    """Seconds after which a job is canceled if no client watches it."""


class JobQueue:
    """Runs one job at a time, in the order of arrival.

    Args:
        run: does the work; returns the results, or raises. It calls `report` meanwhile.
        explain: returns the message and the HTTP status for an error of ``run``.
        limits: what is held at most.
    """

    def __init__(
        self,
        run: Callable[[Job], list[Result]],
        explain: Callable[[BaseException], tuple[str, int]],
        limits: Limits,
    ) -> None:
        self._run, self._explain, self._limits = run, explain, limits
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}  # in the order of arrival
        self._reserved = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._work, "worker"), (self._tidy, "tidy"))
        ]
        for thread in self._threads:
            thread.start()

    # --- asking ------------------------------------------------------------------------------------------------

    @contextmanager
    def reserve(self) -> Iterator[None]:
        """Keep room for one job within the block, while its files arrive. Raises QueueFull."""
        with self._changed:
            if len(self._active()) + self._reserved >= self._limits.waiting:
                raise QueueFull(f"{self._limits.waiting} images are waiting already; try again in a moment")
            self._reserved += 1
        try:
            yield
        finally:
            with self._changed:
                self._reserved -= 1

    def submit(self, work: Work) -> Job:
        """Append a job, inside `reserve`. From now on the queue removes its folder."""
        job = Job(work)
        with self._changed:
            self._jobs[job.id] = job
            self._changed.notify_all()
        return job

    def find(self, identifier: str) -> Job | None:
        """Return a job that is not forgotten, and remember that somebody asked."""
        with self._changed:
            job = self._jobs.get(identifier)
            if job is not None:
                job.touched = time.monotonic()
            return job

    def describe(self, job: Job) -> dict[str, Any]:
        """Return a job as JSON, with the number of jobs before it."""
        with self._changed:
            active = self._active()
            return job.as_json(active.index(job) if job in active else 0)

    def wait(self, job: Job, seen: int, timeout: float) -> int:
        """Wait until a job has another version than ``seen``, or the time is over; return its version."""
        with self._changed:
            self._changed.wait_for(lambda: job.version != seen or self._closed, timeout)
            return job.version

    @contextmanager
    def watched(self, job: Job) -> Iterator[None]:
        """Within the block a client watches the job, so that it is not given up."""
        with self._changed:
            job.watchers += 1
        try:
            yield
        finally:
            with self._changed:
                job.watchers -= 1
                job.touched = time.monotonic()

    def cancel(self, job: Job) -> None:
        """End a job as soon as possible: at once if it waits, else when its present tile is done."""
        with self._changed:
            if not job.ended:
                self._change(job, "canceled")

    def remove(self, job: Job) -> None:
        """Cancel a job and forget it, with all its files."""
        self.cancel(job)
        with self._changed:
            self._forget(job)

    def close(self) -> None:
        """Cancel everything, wait for the worker, and remove all files."""
        with self._changed:
            self._closed = True
            for job in self._active():
                self._change(job, "canceled")
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for job in list(self._jobs.values()):
            self._forget(job)

    # --- working -----------------------------------------------------------------------------------------------

    def report(self, job: Job, done: int, total: int) -> None:
        """Note the progress of the running job. Raises Canceled if nobody wants its result any more."""
        with self._changed:
            if job.state == "canceled":
                raise Canceled("canceled")
            job.done, job.total = done, total
            self._change(job, job.state)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            results: list[Result] = []
            failure: tuple[str, int] | None = None
            try:
                results = self._run(job)
            except Canceled:
                pass
            except BaseException as error:  # noqa: BLE001 - a request that fails ends nothing
                failure = self._explain(error)
            with self._changed:
                self._end(job, results, failure)

    def _next(self) -> Job | None:
        def first() -> Job | None:
            return next((job for job in self._jobs.values() if job.state == "waiting"), None)

        with self._changed:
            self._changed.wait_for(lambda: self._closed or first() is not None)
            job = None if self._closed else first()
            if job is not None:
                self._change(job, "running")
            return job

    def _end(self, job: Job, results: list[Result], failure: tuple[str, int] | None) -> None:
        if job.state == "canceled" or job.id not in self._jobs:
            shutil.rmtree(job.work.folder, ignore_errors=True)
            return
        job.results = results
        job.touched = time.monotonic()
        if failure is not None:
            job.message, job.status = job.scrub(failure[0]), failure[1]
            shutil.rmtree(job.work.folder, ignore_errors=True)
        self._change(job, "done" if failure is None else "failed")

    # --- inside the lock ---------------------------------------------------------------------------------------

    def _active(self) -> list[Job]:
        return [job for job in self._jobs.values() if not job.ended]

    def _change(self, job: Job, state: State) -> None:
        was_running = job.state == "running"
        job.state = state
        job.version += 1
        if state == "canceled" and not was_running:  # the worker removes the files of a running one
            shutil.rmtree(job.work.folder, ignore_errors=True)
        self._changed.notify_all()

    def _forget(self, job: Job) -> None:
        if self._jobs.pop(job.id, None) is not None and job.state in ("done", "failed"):
            shutil.rmtree(job.work.folder, ignore_errors=True)

    def _tidy(self) -> None:
        """Every second give up what nobody watches, and forget what nobody fetches."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, timeout=1.0)
                if self._closed:
                    return
                now = time.monotonic()
                for job in list(self._jobs.values()):
                    idle = 0.0 if job.watchers else now - job.touched
                    if not job.ended and idle > self._limits.patience:
                        self._change(job, "canceled")
                    elif job.ended and idle > self._limits.kept_seconds:
                        self._forget(job)
                self._make_room()

    def _make_room(self) -> None:
        ended = sorted((job for job in self._jobs.values() if job.ended and not job.watchers), key=lambda j: j.touched)
        size = sum(result.bytes for job in ended for result in job.results)
        while ended and (len(ended) > self._limits.kept or size > self._limits.kept_bytes):
            oldest = ended.pop(0)
            size -= sum(result.bytes for result in oldest.results)
            self._forget(oldest)
