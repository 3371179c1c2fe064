"""Build a server from its options, and run it until it is stopped."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import typer

from restore.cli.counting import count
from restore.cli.exit import print_warning
from restore.cli.server.app import Application
from restore.cli.server.catalog import Catalog
from restore.cli.server.changes import Changes
from restore.cli.server.guard import Guard
from restore.cli.server.jobs import Job, JobQueue, Limits, Result
from restore.cli.server.listening import RestoreServer
from restore.cli.server.named_folders import label_folders
from restore.cli.server.openapi import describe_api
from restore.cli.server.prediction import PredictionWorker, explain_failure
from restore.cli.server.prediction_routes import PredictionRoutes
from restore.cli.server.routes import Route
from restore.cli.server.run_board import RunBoard
from restore.cli.server.run_routes import RunRoutes
from restore.cli.server.static_files import load_static
from restore.cli.server.training_routes import TrainingRoutes
from restore.cli.server.trainings import TrainingLimits, Trainings
from restore.cli.server.uploads import UploadLimits
from restore.core.errors import UsageError
from restore.core.pages.known_hosts import is_loopback
from restore.core.runs.lock import RunLock
from restore.core.runtime.devices import device_of, name_device
from restore.core.runtime.memory import host_memory

PREFIX = "restore-serve-"
"""Beginning of the names of temporary folders."""

SPARE = 16 * 2**20
"""Bytes that a connection may send beyond the largest upload: headers, and what follows a refused request."""


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """The options of ``restore serve``."""

    models: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    allow_host: tuple[str, ...] = ()
    device: str = "auto"
    runs: tuple[Path, ...] = ()
    """Folders whose runs the page shows; new ones go to the first."""
    data: tuple[Path, ...] = ()
    """Folders that a training may read."""
    trainings: int = 1
    queue: int = 32
    max_bytes: int = 100 * 10**6
    max_pixels: float = 50e6
    max_output_pixels: float = 256e6


@dataclass(frozen=True)
class RunningServer:
    """A server that listens."""

    server: RestoreServer
    catalog: Catalog
    queue: JobQueue
    board: RunBoard
    trainings: Trainings
    token: str
    device: str
    folder: Path

    @property
    def address(self) -> str:
        """What to open in a browser; the token stands behind ``#``, so that no request and no log has it."""
        return f"{self.url}/#token={quote(self.token)}"

    @property
    def url(self) -> str:
        """The address without the token."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.server.host, self.server.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server.port}"


@contextmanager
def open_server(options: ServerOptions) -> Iterator[RunningServer]:
    """Yield a server that listens and does not serve yet. At the end all its jobs are canceled and its files removed.

    Raises:
        UsageError: the address, the device or a model cannot be used.
    """
    catalog = Catalog(options.models)
    device = device_of(options.device)
    worker = PredictionWorker(device, host_memory() / 4, options.max_output_pixels)
    token = options.token or secrets.token_urlsafe(24)
    with _temporary_folder() as folder:

        def run(job: Job) -> list[Result]:
            return worker.run(job, queue.report)

        queue = JobQueue(run, explain_failure, Limits(waiting=options.queue))
        try:
            limits = UploadLimits(options.max_bytes, options.max_pixels)
            with _open_runs(options, folder) as (board, trainings, routes):
                application = Application(
                    Guard.of(token, options.host, options.allow_host),
                    load_static(),
                    lambda: describe_api(catalog.models().values(), limits),
                    [*PredictionRoutes(catalog, queue, limits, folder).routes(), *routes],
                )
                with RestoreServer(options.host, options.port, application, options.max_bytes + SPARE) as server:
                    yield RunningServer(server, catalog, queue, board, trainings, token, name_device(device), folder)
        finally:
            queue.close()


@contextmanager
def _open_runs(options: ServerOptions, folder: Path) -> Iterator[tuple[RunBoard, Trainings, list[Route]]]:
    """Yield runs, trainings, and what answers about them. At the end all trainings are interrupted."""
    runs, data = label_folders("--runs", options.runs), label_folders("--data", options.data)
    changes = Changes()
    board = RunBoard(runs, changes)
    trainings = Trainings(changes, board.hurry, TrainingLimits(at_once=options.trainings))
    try:
        routes = RunRoutes(board, trainings, changes).routes()
        yield board, trainings, [*routes, *TrainingRoutes(board, trainings, data, folder).routes()]
    finally:
        try:
            if running := trainings.count_running():
                typer.echo(f"Waiting until {count(running, 'training')} saved a checkpoint; Ctrl-C ends at once.")
            trainings.close()
            board.look()  # pages that still listen are told how their runs ended
        finally:
            changes.close()
            board.close()


def run_server(options: ServerOptions, *, open_browser: bool = False) -> None:
    """Serve until Ctrl-C."""
    with open_server(options) as running:
        for problem in running.catalog.problems():
            print_warning(problem)
        typer.echo(f"restore serves {count(len(running.catalog.models()), 'model')} on {running.device}.")
        typer.echo(f"Open {running.address}")
        typer.echo("Stop with Ctrl-C.")
        if not is_loopback(options.host):
            print_warning(
                f"other machines reach this server at port {running.server.port}. Who knows the token can use the "
                "processor and the disk of this machine, and sees names and options of the models"
                f"{', sees the runs, and starts and stops trainings' if options.runs else ''}. The connection is "
                "not encrypted; put a proxy with TLS before it"
            )
        if open_browser:
            import webbrowser

            threading.Thread(target=webbrowser.open, args=[running.address], daemon=True).start()
        running.server.serve_forever(poll_interval=0.2)  # returns on Ctrl-C
    typer.echo("Stopped.")


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Yield a folder that is removed at the end, and remove those that killed servers left behind."""
    own = f"{PREFIX}{os.getpid()}-"  # locks do not keep a process from its own files
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if left.name.startswith(own):
            continue
        try:
            with RunLock() as lock:
                lock.acquire(left)
                shutil.rmtree(left, ignore_errors=True)
        except UsageError:
            pass  # that server still runs
    folder = Path(tempfile.mkdtemp(prefix=own))
    try:
        with RunLock() as lock:
            lock.acquire(folder)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
