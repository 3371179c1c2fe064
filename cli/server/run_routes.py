"""The part of the API about runs: what they are, their curves, samples and reports, as they change."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from restore.cli.server.answers import EVENTS, HEARTBEAT, SIGN_OF_LIFE, answer_json, format_event
from restore.cli.server.changes import Changes
from restore.cli.server.routes import Route
from restore.cli.server.run_board import KnownRun, RunBoard
from restore.cli.server.trainings import Trainings
from restore.core.pages.charts import draw_chart
from restore.core.reports.curves import list_curves
from restore.core.reports.samples import epoch_of

REPORT_POLICY = "; ".join(
    (
        "sandbox allow-scripts",
        "default-src 'none'",
        "img-src data: blob:",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
"""Of a report: its scripts run in an origin of their own, which reaches neither the page nor any server. The report's
own policy, which names its scripts by hash, holds too."""
TICKET_SECONDS = 600.0
"""How long the address of a report leads there after it was last used."""
TICKETS = 256


class RunRoutes:
    """Answers about runs.

    Args:
        board: the runs.
        trainings: those that this server started.
        changes: what both tell of their changes.
    """

    def __init__(self, board: RunBoard, trainings: Trainings, changes: Changes) -> None:
        self._board, self._trainings, self._changes = board, trainings, changes
        self._tickets = _Tickets()

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/api/runs", self._list),
            Route("GET", "/api/runs/events", self._stream),
            Route("GET", "/api/runs/<run>", self._describe),
            Route("GET", "/api/runs/<run>/curves", self._draw),
            Route("GET", "/api/runs/<run>/samples/<int:epoch>", self._send_sheet),
            Route("POST", "/api/runs/<run>/report", self._open_report),
            Route("GET", "/reports/<ticket>", self._send_report, needs_token=False),
        ]

    def _list(self, _: Request) -> Response:
        return answer_json(self._tell(self._board.runs()))

    def _tell(self, runs: list[KnownRun]) -> dict[str, Any]:
        return {
            "folders": list(self._board.folders),
            "runs": [run.as_json() for run in runs],
            "problems": self._board.problems(),
            "trainings": self._trainings.describe_all(),
        }

    def _stream(self, _: Request) -> Response:
        return Response(self._events(), content_type=EVENTS)

    def _events(self) -> Iterator[bytes]:
        """Yield what changed, as long as the client listens; the block is left too when it goes away."""
        with self._board.watched():
            told = -1
            while True:
                closed, seen = self._changes.closed, self._changes.version
                known = self._board.known()
                changed = [run for run in known if run.version > told]
                names = [run.id for run in known]
                yield format_event({**self._tell(changed), "order": names}) if seen != told else SIGN_OF_LIFE
                told = seen
                if closed:
                    return
                self._changes.wait(seen, HEARTBEAT)

    def _describe(self, _: Request, run: str) -> Response:
        return answer_json(self._board.find(run).as_json())

    def _draw(self, _: Request, run: str) -> Response:
        groups = [
            {"heading": curves.heading, "charts": [str(draw_chart(chart)) for chart in curves.charts]}
            for curves in list_curves(self._board.find(run).listed.run)
        ]
        return answer_json({"groups": [group for group in groups if any(group["charts"])]})

    def _send_sheet(self, _: Request, run: str, epoch: int) -> Response:
        found = self._board.find(run)
        for sheet in found.listed.run.sheets:
            if epoch_of(sheet) == epoch:
                return Response(_read_inside(sheet, found), content_type="image/png")
        raise NotFound(f"this run has no samples of epoch {epoch}")

    def _open_report(self, _: Request, run: str) -> Response:
        found = self._board.find(run)
        if not found.folder.report.is_file():
            raise NotFound(f"{run} has no report yet; a run writes it at its end")
        return answer_json({"address": f"/reports/{self._tickets.issue(run)}"})

    def _send_report(self, _: Request, ticket: str) -> Response:
        found = self._board.find(self._tickets.redeem(ticket))
        response = Response(_read_inside(found.folder.report, found), content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = REPORT_POLICY
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response


class _Tickets:
    """Addresses that a frame can open, which sends no token: each leads to one report, for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, tuple[str, float]] = {}

    def issue(self, run: str) -> str:
        """Return a new ticket."""
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._runs[ticket] = (run, time.monotonic())
            while len(self._runs) > TICKETS:
                del self._runs[next(iter(self._runs))]
        return ticket

    def redeem(self, ticket: str) -> str:
        """Return the run of a ticket. Raises NotFound if there is none, or no longer."""
        with self._lock:
            run, used = self._runs.pop(ticket, ("", -TICKET_SECONDS))
            if not run or time.monotonic() - used > TICKET_SECONDS:
                raise NotFound("this address of a report is not valid any more; open the report again")
            self._runs[ticket] = (run, time.monotonic())
            return run


def _read_inside(path: Path, run: KnownRun) -> bytes:
    """Read a file of a run. Raises NotFound if it is a link to somewhere else, or cannot be read."""
    folder = run.listed.run.path.resolve()
    try:
        if folder not in path.resolve(strict=True).parents:
            raise NotFound(f"{path.name} leads out of the run")
        return path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path.name} cannot be read: {error.strerror}") from None
