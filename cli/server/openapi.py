"""Describe the API as an OpenAPI document, with the options of each model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from restore.cli.server.catalog import ServedModel
from restore.cli.server.form import Field
from restore.cli.server.openapi_runs import SCHEMAS, describe_runs
from restore.cli.server.uploads import UploadLimits
from restore.core.versions import find_version

_FILE = {"type": "string", "format": "binary"}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_CLASSES = {
    "type": ["object", "null"],
    "description": "Which files are maps of classes, of a segmentation.",
    "properties": {
        "classes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "color": {
                        "type": ["array", "null"],
                        "items": {"type": "number"},
                        "description": "Red, green and blue in [0, 1]; null: a background, which is not drawn.",
                    },
                    "part": {
                        "type": "string",
                        "description": "Part of the result that is the map of its probability, from black (0) to "
                        "white (1).",
                    },
                },
            },
        },
        "numbers": {
            "type": ["string", "null"],
            "description": "Part of the result whose values are indices of classes; null: each class has its part.",
        },
        "threshold": {"type": "number", "description": "Probability above which a pixel belongs to a class."},
        "option": {"type": ["string", "null"], "description": "Field that sets the threshold."},
    },
}
_JOB = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "model": {"type": "string"},
        "image": {"type": "string", "description": "Name of the uploaded image."},
        "state": {"enum": ["waiting", "running", "done", "failed", "canceled"]},
        "ahead": {"type": "integer", "description": "Jobs that are served before this one."},
        "done": {"type": "integer", "description": "Finished tiles."},
        "total": {"type": "integer", "description": "Tiles; 0 before the first one."},
        "message": {"type": "string", "description": "Why it failed."},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "files": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "part": {"type": "string", "description": "Empty for the image itself."},
                    "width": {"type": "integer"},
                    "height": {"type": "integer"},
                    "bytes": {"type": "integer"},
                },
            },
        },
        "classes": _CLASSES,
        "chosen": {
            "type": "object",
            "description": "Values that the model chose itself for fields that were not sent, such as control points; "
            "sent as these fields, they give the same result.",
        },
    },
}
_POINTS = {
    "type": "string",
    "contentMediaType": "application/json",
    "contentSchema": {
        "type": "array",
        "items": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
    },
}
_ERRORS = {
    "400": "A field is missing, unknown or wrong.",
    "401": "The token is missing or wrong.",
    "403": "The request comes from another web page, or under a foreign name.",
    "413": "The request is larger than allowed.",
    "415": "The request is no form of type multipart/form-data.",
    "422": "A file is no image, is damaged, or does not fit.",
    "429": "The queue is full; Retry-After says when to come back.",
    "500": "A bug.",
    "507": "Memory or disk do not suffice.",
}


def describe_api(models: Iterable[ServedModel], limits: UploadLimits) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1) for these models and limits."""
    paths: dict[str, Any] = {
        "/api/health": {"get": _get("Whether the server runs; needs no token.", {"type": "object"}, security=[])},
        "/api/models": {"get": _get("The models with the fields that each takes.", {"type": "object"})},
        "/api/jobs/{job}": {
            "parameters": [_parameter("job", "string")],
            "get": _get("How far a job is.", {"$ref": "#/components/schemas/Job"}),
            "delete": {"summary": "Cancel a job and remove its files.", "responses": {"204": {"description": "Done."}}},
        },
        "/api/jobs/{job}/events": {
            "parameters": [_parameter("job", "string")],
            "get": _get(
                "The job after each change, as server-sent events, until it ends. A job that nobody watches is "
                "canceled after a while.",
                {"$ref": "#/components/schemas/Job"},
                "text/event-stream",
            ),
        },
        "/api/jobs/{job}/image": {
            "parameters": [_parameter("job", "string")],
            "get": _get("The image that was uploaded.", _FILE, "application/octet-stream"),
        },
        "/api/jobs/{job}/files/{number}": {
            "parameters": [_parameter("job", "string"), _parameter("number", "integer")],
            "get": _get("One file of a result.", _FILE, "image/png"),
        },
    }
    for model in models:
        body = _body(model, limits)
        paths[f"/api/predict/{model.id}"] = {"post": _predict(model, body)}
        paths[f"/api/queue/{model.id}"] = {"post": _enqueue(model, body)}
    paths |= describe_runs()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "restore serve",
            "version": find_version("restorekit") or "unknown",
            "description": "Images in, images out, exactly as restore predict writes them.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Job": _JOB, "Error": _ERROR, **SCHEMAS},
        },
    }


def _predict(model: ServedModel, body: dict[str, Any]) -> dict[str, Any]:
    images = {kind: {"schema": _FILE} for kind in ("image/png", "image/tiff", "image/jpeg", "application/zip")}
    part = {**_parameter("part", "string"), "in": "query", "required": False}
    part["description"] = "Part of the result to send; unset: the only one, or all as a ZIP archive."
    return {
        "summary": f"{model.ref.name}: {model.ref.entry.summary}",
        "description": "Waits for the result. A client that leaves cancels its work.",
        "parameters": [part],
        "requestBody": body,
        "responses": {"200": {"description": "The result.", "content": images}, **_errors()},
    }


def _enqueue(model: ServedModel, body: dict[str, Any]) -> dict[str, Any]:
    job = {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}
    return {
        "summary": f"Queue an image for {model.ref.name}.",
        "requestBody": body,
        "responses": {"202": {"description": "The job.", "content": job}, **_errors()},
    }


def _body(model: ServedModel, limits: UploadLimits) -> dict[str, Any]:
    about = (
        f"The image to process, up to {limits.pixels / 1e6:.0f} million pixels; the whole request up to "
        f"{limits.bytes / 1e6:.0f} MB."
    )
    properties = {"image": {**_FILE, "description": about}}
    properties |= {field.name: _schema(field) for field in model.fields()}
    schema = {"type": "object", "properties": properties, "required": ["image"], "additionalProperties": False}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _schema(field: Field) -> dict[str, Any]:
    types: dict[str, dict[str, Any]] = {
        "switch": {"type": "boolean"},
        "integer": {"type": "integer"},
        "number": {"type": "number"},
        "choice": {"type": "string", "enum": list(field.choices)},
        "choices": {"type": "array", "items": {"type": "string", "enum": list(field.choices)}},
        "image": dict(_FILE),
        "mask": dict(_FILE),
        "points": _POINTS,
    }
    schema = {**types.get(field.kind, {"type": "string"}), "description": field.help}
    if field.minimum is not None:
        schema["exclusiveMinimum" if field.open_below else "minimum"] = field.minimum
    if field.maximum is not None:
        schema["exclusiveMaximum" if field.open_above else "maximum"] = field.maximum
    if field.default is not None:
        schema["default"] = field.default
    if field.control is not None:
        schema["x-control"] = asdict(field.control)  # how a page may let a person change it
    return schema


def _get(
    summary: str, schema: dict[str, Any], kind: str = "application/json", security: list[Any] | None = None
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": summary,
        "responses": {"200": {"description": "Found.", "content": {kind: {"schema": schema}}}},
    }
    return described if security is None else {**described, "security": security}


def _parameter(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": kind}}


def _errors() -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": text, "content": error} for status, text in _ERRORS.items()}
