"""The WSGI application: it lets nobody strange in, finds who answers, and turns every error into one message."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from werkzeug.exceptions import HTTPException, InternalServerError, NotFound, TooManyRequests
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import ClosingIterator

from restore.cli.exit import WRONG_USAGE, UserError
from restore.cli.server.answers import answer_json
from restore.cli.server.catalog import UnknownModel
from restore.cli.server.guard import Guard, add_headers
from restore.cli.server.jobs import QueueFull
from restore.cli.server.routes import Route, make_map
from restore.cli.server.static_files import StaticFile

RETRY = 2
"""Seconds after which a refused client may try again."""


class Application:
    """Answers requests.

    Args:
        guard: refuses strangers.
        static: the files of the page by name.
        describe: returns the OpenAPI document.
        routes: what else is answered.
    """

    def __init__(
        self,
        guard: Guard,
        static: Mapping[str, StaticFile],
        describe: Callable[[], dict[str, Any]],
        routes: Sequence[Route],
    ) -> None:
        self._guard, self._static, self._describe = guard, static, describe
        self.routes = [
            Route("GET", "/", self._send_page, needs_token=False),
            Route("GET", "/static/<name>", self._send_static, needs_token=False),
            Route("GET", "/api/health", self._tell_health, needs_token=False),
            Route("GET", "/api/openapi.json", self._describe_api),
            *routes,
        ]
        self._map = make_map(self.routes)

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
        route, values = self._map.bind_to_environ(request.environ).match()
        assert isinstance(route, Route)
        if route.needs_token:
            self._guard.check_token(request)
        return route.answer(request, **values)

    def _send_page(self, request: Request) -> Response:
        return self._send_static(request, "index.html")

    def _send_static(self, _: Request, name: str) -> Response:
        if name not in self._static:
            raise NotFound(f"there is no file {name!r}")
        found = self._static[name]
        return Response(found.content, content_type=found.content_type)

    def _tell_health(self, _: Request) -> Response:
        return answer_json({"status": "ok"})

    def _describe_api(self, _: Request) -> Response:
        return answer_json(self._describe())


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
    return answer_json({"error": message}, status=status, headers=headers)
