"""Answers of several kinds: JSON, files, streams of events; and whether a client still waits for one."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from restore.core.json_text import dump_json

HEARTBEAT = 5.0
"""Seconds between signs of life in a stream of events; by them the server notices that a client left."""
SIGN_OF_LIFE = b": \n\n"
"""What stands in a stream of events where nothing happened."""
EVENTS = "text/event-stream; charset=utf-8"
"""Content type of a stream of events."""


def answer_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as JSON; infinite and NaN become null."""
    return Response(dump_json(value) + "\n", status=status, headers=headers, content_type="application/json")


def format_event(value: Any) -> bytes:
    """Return a value as one event of a stream."""
    return f"data: {dump_json(value, indent=None)}\n\n".encode()


def answer_file(request: Request, path: Path, name: str, content_type: str) -> Response:
    """Return a file as a download."""
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


def has_left(environ: Mapping[str, Any]) -> bool:
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
