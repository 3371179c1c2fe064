"""The HTTP API and the files of the page, as a WSGI application."""

from __future__ import annotations

import json
import selectors
import shutil
import socket
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from werkzeug.exceptions import HTTPException, InternalServerError, NotFound, TooManyRequests
from werkzeug.routing import Map, Rule
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import ClosingIterator, wrap_file

from restore.cli.exit import WRONG_USAGE, UserError
from restore.cli.server.catalog import Catalog, ServedModel, UnknownModel
from restore.cli.server.guard import Guard, add_headers
from restore.cli.server.jobs import Job, JobQueue, QueueFull, Result
from restore.cli.server.openapi import describe_api
from restore.cli.server.prediction import FORMATS
from restore.cli.server.static_files import StaticFile
from restore.cli.server.uploads import UploadLimits
from restore.cli.server.work import read_work
from restore.core.errors import UsageError
from restore.core.json_text import dump_json

HEARTBEAT = 5.0
"""Seconds between signs of life in a stream of events; by them the server notices that a client left."""
LOOK = 0.5
"""Seconds between looks at whether a waiting client is still there."""
RETRY = 2
"""Seconds after which a refused client may try again."""

_RULES = Map(
    [
        Rule("/", endpoint="page", methods=["GET"]),
        Rule("/static/<name>", endpoint="static", methods=["GET"]),
        Rule("/api/health", endpoint="health", methods=["GET"]),
        Rule("/api/openapi.json", endpoint="openapi", methods=["GET"]),
        Rule("/api/models", endpoint="models", methods=["GET"]),
        Rule("/api/predict/<model>", endpoint="predict", methods=["POST"]),
        Rule("/api/queue/<model>", endpoint="enqueue", methods=["POST"]),
        Rule("/api/jobs/<job>", endpoint="job", methods=["GET"]),
        Rule("/api/jobs/<job>", endpoint="cancel", methods=["DELETE"]),
        Rule("/api/jobs/<job>/events", endpoint="events", methods=["GET"]),
        Rule("/api/jobs/<job>/image", endpoint="image", methods=["GET"]),
        Rule("/api/jobs/<job>/files/<int:number>", endpoint="file", methods=["GET"]),
    ],
    merge_slashes=False,
)

_OPEN = ("page", "static", "health")
"""What needs no token: it tells nothing about this machine."""


class Application:
    """Answers requests.

    Args:
        catalog: the models.
        queue: does the work.
        guard: refuses strangers.
        limits: what a request may hold.
        folder: where the files of jobs are kept.
        static: the files of the page by name.
    """

    def __init__(
        self,
        catalog: Catalog,
        queue: JobQueue,
        guard: Guard,
        limits: UploadLimits,
        folder: Path,
        static: Mapping[str, StaticFile],
    ) -> None:
        self._catalog, self._queue, self._guard = catalog, queue, guard
        self._limits, self._folder, self._static = limits, folder, static

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request; every error becomes one message."""
        request = Request(environ)
        try:
            response = self._answer(request)
        except Exception as error:  # noqa: BLE001 - a request that fails ends nothing
            response = explain_error(error)
        # Of files the response alone would close only the file, and not call what is due afterwards.
        return ClosingIterator(add_headers(response)(environ, start_response), response.close)

    def _answer(self, request: Request) -> Response:
        self._guard.check_origin(request)
        endpoint, values = _RULES.bind_to_environ(request.environ).match()
        if endpoint not in _OPEN:
            self._guard.check_token(request)
        answer: Response = getattr(self, f"_answer_{endpoint}")(request, **values)
        return answer

    # --- the page ----------------------------------------------------------------------------------------------

    def _answer_page(self, _: Request) -> Response:
        return self._answer_static(_, "index.html")

    def _answer_static(self, _: Request, name: str) -> Response:
        if name not in self._static:
            raise NotFound(f"there is no file {name!r}")
        found = self._static[name]
        return Response(found.content, content_type=found.content_type)

    # --- about the server --------------------------------------------------------------------------------------

    def _answer_health(self, _: Request) -> Response:
        return _json({"status": "ok"})

    def _answer_openapi(self, _: Request) -> Response:
        return _json(describe_api(self._catalog.models().values(), self._limits))

    def _answer_models(self, _: Request) -> Response:
        models = [_describe_model(model) for model in self._catalog.models().values()]
        limits = {"bytes": self._limits.bytes, "pixels": self._limits.pixels}
        return _json({"models": models, "problems": self._catalog.problems(), "limits": limits})

    # --- predictions -------------------------------------------------------------------------------------------

    def _answer_predict(self, request: Request, model: str) -> Response:
        job = self._accept(request, model)
        try:
            with self._queue.watched(job):
                seen = -1
                while not job.ended:
                    seen = self._queue.wait(job, seen, LOOK)
                    if _has_left(request.environ):
                        self._queue.cancel(job)
            response = _send_results(request, job)
        except BaseException:
            self._queue.remove(job)
            raise
        response.call_on_close(lambda: self._queue.remove(job))
        return response

    def _answer_enqueue(self, request: Request, model: str) -> Response:
        job = self._accept(request, model)
        return _json(self._queue.describe(job), status=202, headers={"Location": f"/api/jobs/{job.id}"})

    def _answer_job(self, _: Request, job: str) -> Response:
        return _json(self._queue.describe(self._find(job)))

    def _answer_cancel(self, _: Request, job: str) -> Response:
        self._queue.remove(self._find(job))
        return Response(status=204)

    def _answer_events(self, _: Request, job: str) -> Response:
        return Response(self._events(self._find(job)), content_type="text/event-stream; charset=utf-8")

    def _events(self, job: Job) -> Iterator[bytes]:
        """Yield the job after each change, until it ends; the block is left too when the client goes away."""
        with self._queue.watched(job):
            seen = -1
            while True:
                before, seen = seen, job.version
                yield (
                    f"data: {dump_json(self._queue.describe(job), indent=None)}\n\n".encode()
                    if seen != before
                    else b": \n\n"
                )
                if job.ended:
                    return
                self._queue.wait(job, seen, HEARTBEAT)

    def _answer_image(self, request: Request, job: str) -> Response:
        work = self._find(job).work
        if not work.image.exists():
            raise NotFound("the image of this job was removed")
        return _send_file(request, work.image, work.name, "application/octet-stream")

    def _answer_file(self, request: Request, job: str, number: int) -> Response:
        found = self._find(job)
        if number >= len(found.results):
            raise NotFound(f"this job has {len(found.results)} files, numbered from 0")
        return _send_result(request, found.results[number])

    def _accept(self, request: Request, identifier: str) -> Job:
        """Queue what a request asks for. If it cannot be queued, no file of it stays."""
        model = self._catalog.find(identifier)
        with self._queue.reserve():
            folder = Path(tempfile.mkdtemp(prefix="job-", dir=self._folder))
            try:
                return self._queue.submit(read_work(request.environ, model, folder, self._limits))
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise

    def _find(self, identifier: str) -> Job:
        job = self._queue.find(identifier)
        if job is None:
            raise NotFound("no such job; its result may have been removed after a while")
        return job


def explain_error(error: Exception) -> Response:
    """Return an error as JSON with one message; the traceback of a bug goes to the console only."""
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        if error.response is not None:  # a redirect
            return Response(status=404)
        status, message = error.code or 500, error.description or error.name
        headers = {name: value for name, value in error.get_headers({}) if name in ("Allow", "WWW-Authenticate")}
    elif isinstance(error, QueueFull):
        status, message, headers = TooManyRequests.code, str(error), {"Retry-After": str(RETRY)}
    elif isinstance(error, UnknownModel):
        status, message = 404, str(error)
    elif isinstance(error, UserError):
        status, message = 400 if error.exit_status == WRONG_USAGE else 422, str(error)
    else:
        traceback.print_exception(error, file=sys.stderr)
        status, message = InternalServerError.code, "the server has a bug; its console shows where"
    return _json({"error": message}, status=status, headers=headers)


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(dump_json(value) + "\n", status=status, headers=headers, content_type="application/json")


def _describe_model(model: ServedModel) -> dict[str, Any]:
    entry = model.ref.entry
    return {
        "id": model.id,
        "name": model.ref.name,
        "task": entry.full_name,
        "kind": model.kind,
        "summary": entry.summary,
        "card": dict(model.ref.header.card) if model.ref.header is not None else {},
        "fields": [asdict(field) for field in model.fields()],
        "schema": model.form.model.model_json_schema(),
    }


def _send_results(request: Request, job: Job) -> Response:
    """Return the result of a job: its file, one of several with ``?part=``, or all of them as a ZIP archive."""
    if job.state == "canceled":
        raise UsageError("the request was canceled")
    if job.state == "failed":
        return _json({"error": job.message}, status=job.status)
    results, part = job.results, request.args.get("part")
    if part is not None:
        results = [result for result in results if result.part == part]
        if not results:
            known = ", ".join(repr(result.part) for result in job.results)
            raise UsageError(f"part: the result has no part {part!r}; it has {known}")
    response = _send_result(request, results[0]) if len(results) == 1 else _send_archive(request, job)
    if job.warnings:
        response.headers["Restore-Warnings"] = json.dumps(job.warnings)
    return response


def _send_result(request: Request, result: Result) -> Response:
    return _send_file(request, result.path, result.name, FORMATS[result.path.suffix.removeprefix(".")])


def _send_file(request: Request, path: Path, name: str, content_type: str) -> Response:
    response = send_file(
        path,
        request.environ,
        mimetype=content_type,
        as_attachment=True,
        download_name=name,
        conditional=False,
        etag=False,
        last_modified=0,
    )
    for header in ("Cache-Control", "Last-Modified"):
        response.headers.pop(header, None)
    return response


def _send_archive(request: Request, job: Job) -> Response:
    archive: IO[bytes] = tempfile.TemporaryFile(dir=job.work.folder)  # noqa: SIM115 - the response closes it
    with zipfile.ZipFile(archive, "w") as files:
        for result in job.results:
            files.write(result.path, result.name)
    size = archive.tell()
    archive.seek(0)
    response = Response(wrap_file(request.environ, archive), mimetype="application/zip", direct_passthrough=True)
    response.content_length = size
    name = f"{Path(job.work.name).stem}.zip"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _has_left(environ: Mapping[str, Any]) -> bool:
    """Return whether the client closed its connection; False where the server below does not tell."""
    connection: socket.socket | None = environ.get("werkzeug.socket")
    if connection is None:
        return False
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            return bool(selector.select(timeout=0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
