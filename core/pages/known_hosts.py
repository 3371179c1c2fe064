"""By which names a server may be called, so that no web site's name can be made to lead to it (DNS rebinding)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class KnownHosts:
    """The names of a server."""

    names: frozenset[str]
    """In lower case, without port."""
    any_address: bool = False
    """Whether any IP address is one too: no web site's name can be made to lead to an address in digits."""

    @classmethod
    def of(cls, host: str, others: Iterable[str] = ()) -> KnownHosts:
        """Return the names of a server that listens on ``host``; ``others`` are further names of it."""
        names = {name.lower() for name in (*LOOPBACK, host, *others)}
        return cls(frozenset(names), any_address=not is_loopback(host))

    def knows(self, host: str) -> bool:
        """Return whether a header ``Host`` is one of them."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self.names or (self.any_address and _is_address(name))


def is_own_origin(origin: str | None, host: str) -> bool:
    """Return whether a header ``Origin`` is that of a page of the host that was asked, or is missing."""
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def is_loopback(host: str) -> bool:
    """Return whether only programs on this machine reach an address."""
    if host.lower() == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
