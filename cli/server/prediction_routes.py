"""The part of the API that predicts: models, jobs and their results."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import wrap_file

from restore.cli.server.answers import EVENTS, HEARTBEAT, SIGN_OF_LIFE, answer_file, answer_json, format_event, has_left
from restore.cli.server.catalog import Catalog, ServedModel
from restore.cli.server.jobs import Job, JobQueue, Result
from restore.cli.server.prediction import FORMATS
from restore.cli.server.routes import Route
from restore.cli.server.uploads import UploadLimits
from restore.cli.server.work import read_work
from restore.core.errors import UsageError

LOOK = 0.5
"""Seconds between looks at whether a waiting client is still there."""


class PredictionRoutes:
    """Answers about models and jobs.

    Args:
        catalog: the models.
        queue: does the work.
        limits: what a request may hold.
        folder: where the files of jobs are kept.
    """

    def __init__(self, catalog: Catalog, queue: JobQueue, limits: UploadLimits, folder: Path) -> None:
        self._catalog, self._queue, self._limits, self._folder = catalog, queue, limits, folder

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/api/models", self._list_models),
            Route("POST", "/api/predict/<model>", self._predict),
            Route("POST", "/api/queue/<model>", self._enqueue),
            Route("GET", "/api/jobs/<job>", self._describe_job),
            Route("DELETE", "/api/jobs/<job>", self._cancel),
            Route("GET", "/api/jobs/<job>/events", self._stream),
            Route("GET", "/api/jobs/<job>/image", self._send_image),
            Route("GET", "/api/jobs/<job>/files/<int:number>", self._send_one),
        ]

    def _list_models(self, _: Request) -> Response:
        models = [_describe_model(model) for model in self._catalog.models().values()]
        limits = {"bytes": self._limits.bytes, "pixels": self._limits.pixels}
        return answer_json({"models": models, "problems": self._catalog.problems(), "limits": limits})

    def _predict(self, request: Request, model: str) -> Response:
        job = self._accept(request, model)
        try:
            with self._queue.watched(job):
                seen = -1
                while not job.ended:
                    seen = self._queue.wait(job, seen, LOOK)
                    if has_left(request.environ):
                        self._queue.cancel(job)
            response = _send_results(request, job)
        except BaseException:
            self._queue.remove(job)
            raise
        response.call_on_close(lambda: self._queue.remove(job))
        return response

    def _enqueue(self, request: Request, model: str) -> Response:
        job = self._accept(request, model)
        return answer_json(self._queue.describe(job), status=202, headers={"Location": f"/api/jobs/{job.id}"})

    def _describe_job(self, _: Request, job: str) -> Response:
        return answer_json(self._queue.describe(self._find(job)))

    def _cancel(self, _: Request, job: str) -> Response:
        self._queue.remove(self._find(job))
        return Response(status=204)

    def _stream(self, _: Request, job: str) -> Response:
        return Response(self._events(self._find(job)), content_type=EVENTS)

    def _events(self, job: Job) -> Iterator[bytes]:
        """Yield the job after each change, until it ends; the block is left too when the client goes away."""
        with self._queue.watched(job):
            seen = -1
            while True:
                before, seen = seen, job.version
                yield format_event(self._queue.describe(job)) if seen != before else SIGN_OF_LIFE
                if job.ended:
                    return
                self._queue.wait(job, seen, HEARTBEAT)

    def _send_image(self, request: Request, job: str) -> Response:
        work = self._find(job).work
        if not work.image.exists():
            raise NotFound("the image of this job was removed")
        return answer_file(request, work.image, work.name, "application/octet-stream")

    def _send_one(self, request: Request, job: str, number: int) -> Response:
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
        return answer_json({"error": job.message}, status=job.status)
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
    return answer_file(request, result.path, result.name, FORMATS[result.path.suffix.removeprefix(".")])


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
