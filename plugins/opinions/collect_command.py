"""``restore mos collect``: serve the page of a study, and keep what observers send."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from typing_extensions import override

from restore.core.atomic import atomic_write, reason, writable_folder
from restore.core.errors import RestoreError, UsageError
from restore.core.pages.known_hosts import KnownHosts, is_own_origin
from restore.core.pages.page import read_data
from restore.plugins.opinions.collect_settings import CollectSettings
from restore.plugins.opinions.sessions import Session, StudyInfo

BODY_LIMIT = 2**21
"""Bytes that a request may have; an hour's session has some 100 kB."""
FILE_LIMIT = 10_000
"""Files that the folder may hold, so that nobody can fill the disk."""


def collect(settings: CollectSettings) -> None:
    """Serve a page until Ctrl-C. Raises UsageError for a page of something else, and one that sends to nobody here."""
    page, study, path = read_page(settings.page)
    folder = writable_folder(settings.output)
    try:
        server = AnswerServer((settings.host, settings.port), page, study, path, folder, settings.allow_host)
    except (OSError, OverflowError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"cannot listen on {settings.host}, port {settings.port}: {why}; choose another --host or --port"
        ) from error
    with server:
        host = "this machine's address" if settings.host in ("0.0.0.0", "::") else settings.host
        print(f"{study.title}: http://{host}:{server.server_port}/ (Ctrl-C ends)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    print(f"{server.saved} answers saved to {folder}; then: restore mos score {folder}")


def read_page(path: Path) -> tuple[bytes, StudyInfo, str]:
    """Return a page, its study, and the path to which it sends answers.

    Raises UsageError if it is no page of a study, or was made without ``--post /…``.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {reason(error)}") from error
    try:
        data: dict[str, Any] = read_data(content)
        study = StudyInfo.model_validate_json(json.dumps(data["study"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: is no page that restore mos make wrote") from error
    post = data.get("post")
    if not isinstance(post, str) or not post.startswith("/"):
        raise UsageError(f"{path}: does not send its answers here; make it again with --post /answers")
    return content, study, post


def own_names() -> tuple[str, ...]:
    """Return the names of this machine in its network."""
    name = socket.gethostname()
    return name, f"{name}.local"


class AnswerServer(ThreadingHTTPServer):
    """Serves one page, and writes the answers to it into a folder."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        page: bytes,
        study: StudyInfo,
        path: str,
        folder: Path,
        names: Sequence[str] = (),
    ) -> None:
        """Listen on an address: host and port. ``names`` are further names of this machine."""
        super().__init__(address, _Handler)
        self.hosts = KnownHosts.of(address[0], (*names, *own_names()))
        self.page, self.study, self.path, self.folder = page, study, path, folder
        self.saved = 0

    def keep(self, body: bytes) -> tuple[int, str]:
        """Write the answers of an observer into a file; return a status of HTTP and a message."""
        try:
            session = Session.model_validate_json(body)
        except ValidationError:
            return 400, "these are no answers to a study"
        if session.study != self.study:
            return 409, "these are answers to another study"
        name, number = (
            re.sub(r"[^\w-]+", "-", text)[:40] for text in (session.observer.name, session.observer.session)
        )
        path = self.folder / f"{name}-{number}.json"
        if not path.exists() and sum(1 for _ in self.folder.iterdir()) >= FILE_LIMIT:
            return 507, f"the folder has {FILE_LIMIT} files"
        try:
            with atomic_write(path) as temporary:
                temporary.write_bytes(body)
        except RestoreError as error:
            print(f"{session.observer.name}: not saved: {error}", flush=True)
            return 507, "the answers cannot be written"
        self.saved += 1
        print(f"{session.observer.name}: {len(session.ratings) + len(session.preferences)} answers", flush=True)
        return 200, "saved"

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that leaves early is no error of the study."""


class _Handler(BaseHTTPRequestHandler):
    server: AnswerServer
    timeout = 30.0  # of a connection that says nothing

    def do_GET(self) -> None:
        """Send the page."""
        if refusal := self._refusal():
            self._reply(403, refusal.encode(), "text/plain")
        elif self.path.partition("?")[0] != "/":
            self._reply(404, b"not found", "text/plain")
        else:
            self._reply(200, self.server.page, "text/html")

    def do_POST(self) -> None:
        """Keep answers."""
        length = self.headers.get("Content-Length", "")
        if refusal := self._refusal():
            status, message = 403, refusal
        elif self.path != self.server.path:
            status, message = 404, "not found"
        elif not length.isdecimal():
            status, message = 411, "the length is missing"
        elif int(length) > BODY_LIMIT:
            status, message = 413, "these answers are too long"
        else:
            status, message = self.server.keep(self.rfile.read(int(length)))
        self.close_connection = True
        self._reply(status, message.encode(), "text/plain")

    def _refusal(self) -> str:
        """Return why a request is refused that comes under a foreign name or from another web page; else nothing."""
        host = self.headers.get("Host", "")
        if not self.server.hosts.knows(host):
            return f"this study does not answer to the name {host[:100]!r}; restore mos collect --allow-host names more"
        if not is_own_origin(self.headers.get("Origin"), host):
            return "requests of other web pages are refused"
        return ""

    def _reply(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing about requests."""
