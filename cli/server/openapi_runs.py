"""Describe the part of the API about runs and trainings."""

from __future__ import annotations

from typing import Any

_ERROR_SCHEMA = {"$ref": "#/components/schemas/Error"}
_METRIC = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "convention": {"type": "string", "description": "How it was computed."},
        "of": {"type": "string", "description": "The phase."},
        "value": {"type": ["number", "null"]},
        "images": {"type": ["integer", "null"], "description": "How many were measured."},
        "left_out": {"type": "integer", "description": "How many of them do not count in the value."},
    },
}
RUN = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "FOLDER:NAME; FOLDER stands for one that --runs named."},
        "name": {"type": "string"},
        "version": {"type": "integer", "description": "Grows with each change of the run."},
        "task": {"type": "string"},
        "state": {"enum": ["running", "finished", "stopped"]},
        "ending": {"type": "string", "description": "Why a stopped run stopped."},
        "epochs": {"type": "integer", "description": "Epochs that were begun."},
        "of_epochs": {"type": ["integer", "null"]},
        "seconds": {"type": "number", "description": "Training time."},
        "begun": {"type": ["string", "null"], "format": "date-time"},
        "bytes": {"type": "integer", "description": "Size of its folder."},
        "metrics": {"type": "array", "items": _METRIC, "description": "Of the best weights of the last phase."},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "sheet": {"type": ["integer", "null"], "description": "Epoch of the newest samples."},
        "report": {"type": "boolean", "description": "Whether it has a report."},
    },
}
TRAINING = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "task": {"type": "string"},
        "run": {"type": "string", "description": "Identifier of its run."},
        "resumed": {"type": "boolean"},
        "state": {"enum": ["waiting", "running", "stopping", "finished", "interrupted", "failed"]},
        "ahead": {"type": "integer", "description": "Trainings that wait before this one."},
        "message": {"type": "string", "description": "Why it failed, or what was saved when it was interrupted."},
        "lines": {"type": "integer", "description": "Lines that it printed so far."},
    },
}
SCHEMAS = {"Run": RUN, "Training": TRAINING}

_BOARD = {
    "type": "object",
    "properties": {
        "folders": {"type": "array", "items": {"type": "string"}},
        "runs": {"type": "array", "items": {"$ref": "#/components/schemas/Run"}},
        "problems": {"type": "array", "items": {"type": "string"}, "description": "Runs that cannot be read."},
        "trainings": {"type": "array", "items": {"$ref": "#/components/schemas/Training"}},
        "order": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Of an event: the identifiers of all runs; the runs are those that changed.",
        },
    },
}


def describe_runs() -> dict[str, Any]:
    """Return the paths about runs and trainings."""
    run, training, task = (_parameter(name) for name in ("run", "training", "task"))
    return {
        "/api/runs": {"get": _answer("The runs of the named folders, and the trainings of this server.", _BOARD)},
        "/api/runs/events": {
            "get": _answer(
                "What changes, as server-sent events, as long as the client listens: first everything, then the runs "
                "that changed and all trainings.",
                _BOARD,
                "text/event-stream",
            )
        },
        "/api/runs/{run}": {"parameters": [run], "get": _answer("One run.", _reference("Run"))},
        "/api/runs/{run}/curves": {
            "parameters": [run],
            "get": _answer("The curves of a run, drawn as SVG in groups with headings.", {"type": "object"}),
        },
        "/api/runs/{run}/samples/{epoch}": {
            "parameters": [run, _parameter("epoch", "integer")],
            "get": _answer("The sheet of samples of an epoch.", {"type": "string", "format": "binary"}, "image/png"),
        },
        "/api/runs/{run}/report": {
            "parameters": [run],
            "post": _answer(
                "An address for the report of a run, which needs no token and is valid for ten minutes.",
                {"type": "object", "properties": {"address": {"type": "string"}}},
            ),
        },
        "/reports/{ticket}": {
            "parameters": [_parameter("ticket")],
            "get": {
                **_answer("The report, in a sandbox.", {"type": "string"}, "text/html"),
                "security": [],
            },
        },
        "/api/runs/{run}/resume": {
            "parameters": [run],
            "post": _start("Resume a run from its last checkpoint.", {"epochs": {"type": "integer", "minimum": 1}}),
        },
        "/api/tasks": {
            "get": _answer("The tasks that can be trained, the folders with data, and the limits.", {"type": "object"})
        },
        "/api/tasks/{task}": {
            "parameters": [task],
            "get": _answer(
                "The fields of a task's form, and the JSON schema of its settings. Parameters of the address named as "
                "in 'names', such as model.architecture, bring the settings of what they name along.",
                {"type": "object"},
            ),
        },
        "/api/train/{task}": {
            "parameters": [task],
            "post": _start(
                "Train a task. data and val_data are names of folders that --data named; name is that of the run; the "
                "other fields are those of the task.",
                {"data": {"type": "string"}, "val_data": {"type": "string"}, "name": {"type": "string"}},
                more=True,
            ),
        },
        "/api/trainings/{training}": {
            "parameters": [training],
            "get": _answer("How far a training is.", _reference("Training")),
            "delete": {
                "summary": "Stop a training with a checkpoint after its present step, take one that waits out of the "
                "queue, or forget one that has ended.",
                "parameters": [
                    {
                        **_parameter("now"),
                        "in": "query",
                        "required": False,
                        "description": "yes: of a training that stops already, do not wait for the checkpoint.",
                    }
                ],
                "responses": {"204": {"description": "Done."}},
            },
        },
        "/api/trainings/{training}/lines": {
            "parameters": [training, {**_parameter("after", "integer"), "in": "query", "required": False}],
            "get": _answer("The newest lines that a training printed, after the first so many.", {"type": "object"}),
        },
    }


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameter(name: str, kind: str = "string") -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": kind}}


def _answer(summary: str, schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    content = {kind: {"schema": schema}}
    failed = {"404": {"description": "There is none.", "content": {"application/json": {"schema": _ERROR_SCHEMA}}}}
    return {"summary": summary, "responses": {"200": {"description": "Found.", "content": content}, **failed}}


def _start(summary: str, properties: dict[str, Any], *, more: bool = False) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "additionalProperties": more}
    failures = {
        "400": "A field is unknown or wrong, or the server starts no trainings.",
        "404": "There is no such task or run.",
        "429": "Too many trainings wait; Retry-After says when to come back.",
    }
    error = {"application/json": {"schema": _ERROR_SCHEMA}}
    return {
        "summary": summary,
        "requestBody": {"required": more, "content": {"multipart/form-data": {"schema": schema}}},
        "responses": {
            "202": {
                "description": "The training.",
                "content": {"application/json": {"schema": _reference("Training")}},
            },
            **{status: {"description": text, "content": error} for status, text in failures.items()},
        },
    }
