"""The part of the API that trains: tasks with their forms; start, stop and resume."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from restore import registry
from restore.cli.server.answers import answer_json
from restore.cli.server.form import refuse_unknown
from restore.cli.server.routes import Route
from restore.cli.server.run_board import RunBoard
from restore.cli.server.training_form import TrainingForm, choose_name, list_tasks, write_settings
from restore.cli.server.trainings import Training, TrainingPlan, Trainings
from restore.cli.server.uploads import UploadLimits, receive_upload
from restore.core.errors import UsageError

LIMITS = UploadLimits(bytes=2**20, pixels=0)
"""Of a form without files."""
EPOCHS = "epochs"


class TrainingRoutes:
    """Answers about trainings.

    Args:
        board: the runs.
        trainings: does the work.
        data: the folders that a training may read, by name.
        folder: where settings lie until a training has read them.
    """

    def __init__(self, board: RunBoard, trainings: Trainings, data: Mapping[str, Path], folder: Path) -> None:
        self._board, self._trainings, self._data, self._folder = board, trainings, dict(data), folder

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/api/tasks", self._list_tasks),
            Route("GET", "/api/tasks/<path:task>", self._describe_task),
            Route("POST", "/api/train/<path:task>", self._start),
            Route("POST", "/api/runs/<run>/resume", self._resume),
            Route("GET", "/api/trainings/<training>", self._describe),
            Route("DELETE", "/api/trainings/<training>", self._stop),
            Route("GET", "/api/trainings/<training>/lines", self._send_lines),
        ]

    def _list_tasks(self, _: Request) -> Response:
        limits = self._trainings.limits
        about = {"folders": list(self._board.folders), "data": list(self._data), "limits": asdict(limits)}
        return answer_json({"tasks": list_tasks(), **about})

    def _describe_task(self, request: Request, task: str) -> Response:
        form = TrainingForm.of(task, request.args.to_dict(flat=False))
        return answer_json(
            {
                "id": task,
                "name": form.entry.full_name,
                "summary": form.entry.summary,
                "names": form.names(),
                "fields": [asdict(field) for field in form.fields(list(self._data))],
                "schema": form.form.model.model_json_schema(),
            }
        )

    def _start(self, request: Request, task: str) -> Response:
        self._trainings.check_room()
        if not self._board.folders:
            raise UsageError("this server has no folder for runs; start it with --runs DIR")
        texts = self._receive(request)
        form = TrainingForm.of(task, texts)
        tree = form.check(form.read(texts, self._data), self._data)
        label, out = next(iter(self._board.folders.items()))
        name = choose_name(texts, form.entry.full_name, out)
        settings = self._folder / f"training-{secrets.token_hex(8)}.yaml"
        write_settings(settings, tree, out, name)
        plan = TrainingPlan(
            task=form.entry.full_name,
            run=f"{label}:{name}",
            words=[form.entry.full_name, f"--config={settings}"],
            settings=settings,
        )
        try:
            return self._accept(plan)
        except BaseException:
            settings.unlink(missing_ok=True)
            raise

    def _resume(self, request: Request, run: str) -> Response:
        self._trainings.check_room()
        found = self._board.find(run).listed.run
        texts = self._receive(request)
        refuse_unknown(set(texts), {EPOCHS})
        words = [found.task, f"--resume={found.path}"]
        if EPOCHS in texts:
            given = texts[EPOCHS][-1]
            if not (given.isdecimal() and given.isascii() and len(given) < 10):
                raise UsageError(f"{EPOCHS}: expected a whole number (got {given[:100]!r})")
            words.append(f"--epochs={given}")
        if found.state == "running":
            raise UsageError(f"{run}: another process is training this run; wait until it ends, or stop it")
        registry.entry("tasks", found.task)  # or else an error that says what to install
        return self._accept(TrainingPlan(task=found.task, run=run, words=words, resumed=True))

    def _accept(self, plan: TrainingPlan) -> Response:
        training = self._trainings.submit(plan)
        location = {"Location": f"/api/trainings/{training.id}"}
        return answer_json(self._trainings.describe(training), status=202, headers=location)

    def _receive(self, request: Request) -> dict[str, list[str]]:
        """Return the texts of a form, none if there is no form. Raises UsageError if it holds a file."""
        if not request.content_length:
            return {}
        folder = Path(tempfile.mkdtemp(prefix="form-", dir=self._folder))
        try:
            upload = receive_upload(request.environ, folder, LIMITS)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if upload.files:
            raise UsageError(f"{min(upload.files)}: send text, not a file")
        return upload.texts

    def _describe(self, _: Request, training: str) -> Response:
        return answer_json(self._trainings.describe(self._find(training)))

    def _stop(self, request: Request, training: str) -> Response:
        self._trainings.stop(self._find(training), at_once=request.args.get("now") == "yes")
        return Response(status=204)

    def _send_lines(self, request: Request, training: str) -> Response:
        after = request.args.get("after", "0")
        if not (after.isdecimal() and len(after) < 12):
            raise UsageError(f"after: expected the number of a line (got {after[:100]!r})")
        lines, written = self._trainings.read_lines(self._find(training), int(after))
        return answer_json({"lines": lines, "written": written})

    def _find(self, identifier: str) -> Training:
        training = self._trainings.find(identifier)
        if training is None:
            raise NotFound("no such training; of those that ended the newest are kept")
        return training
