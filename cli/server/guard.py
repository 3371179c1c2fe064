"""Who may talk to the server: nobody by another name, no other web page, nobody without the token."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.wrappers import Request, Response

LOOPBACK = ("127.0.0.1", "localhost", "::1")

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
    hosts: frozenset[str]
    """Names by which clients may call the server, in lower case, without port."""
    any_address: bool = False
    """Whether they may use any IP address too: no web site's name can be made to lead to an address in digits."""

    @classmethod
    def of(cls, token: str, host: str, others: Iterable[str] = ()) -> Guard:
        """Make the guard of a server that listens on ``host``; ``others`` are further names of it."""
        names = {name.lower() for name in (*LOOPBACK, host, *others)}
        return cls(token, frozenset(names), any_address=not is_loopback(host))

    def check_origin(self, request: Request) -> None:
        """Raise Forbidden for a request under a foreign name (DNS rebinding), or one that another web page sends."""
        given = request.headers.get("Host", "")
        if not self._is_known(given):
            raise Forbidden(
                f"this server does not answer to the name {given[:100]!r}; use the address that restore serve printed, "
                "or start it with --allow-host"
            )
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != given.lower():
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

    def _is_known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self.hosts:
            return True
        return self.any_address and _is_address(name)


def is_loopback(host: str) -> bool:
    """Return whether only programs on this machine reach an address."""
    if host.lower() == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def add_headers(response: Response) -> Response:
    """Add the headers that every answer has."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
