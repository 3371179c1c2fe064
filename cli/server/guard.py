"""Who may talk to the server: nobody by another name, no other web page, nobody without the token."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.wrappers import Request, Response

from restore.core.pages.known_hosts import KnownHosts, is_own_origin

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content security policy: the page loads its own files, talks to its own server, frames the reports of runs, and is
part of no other page."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Guard:
    """Checks every request.

    The token comes in a header that no other page can make a browser send, so requests that other pages forge fail
    whatever else they do. The checks of Host and Origin stand before it.
    """

    token: str
    hosts: KnownHosts

    @classmethod
    def of(cls, token: str, host: str, others: Iterable[str] = ()) -> Guard:
        """Make the guard of a server that listens on ``host``; ``others`` are further names of it."""
        return cls(token, KnownHosts.of(host, others))

    def check_origin(self, request: Request) -> None:
        """Raise Forbidden for a request under a foreign name (DNS rebinding), or one that another web page sends."""
        given = request.headers.get("Host", "")
        if not self.hosts.knows(given):
            raise Forbidden(
                f"this server does not answer to the name {given[:100]!r}; use the address that restore serve printed, "
                "or start it with --allow-host"
            )
        origin = request.headers.get("Origin")
        if origin is not None and not is_own_origin(origin, given):
            raise Forbidden(f"requests of other web pages ({origin[:100]}) are refused")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Forbidden("requests of other web pages are refused")

    def check_token(self, request: Request) -> None:
        """Raise Unauthorized for a request without the token."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self.token.encode()):
            raise Unauthorized(
                "send the token that restore serve printed, as the header 'Authorization: Bearer TOKEN'",
                www_authenticate=WWWAuthenticate("bearer"),
            )


def add_headers(response: Response) -> Response:
    """Add the headers that every answer has."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
