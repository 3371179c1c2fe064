"""What a server answers: addresses, each with the function that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response


@dataclass(frozen=True)
class Route:
    """One kind of request."""

    method: str
    path: str
    """With converters of Werkzeug, such as ``/api/jobs/<job>/files/<int:number>``."""
    answer: Callable[..., Response]
    """Called with the request, and with the parts of the path by name."""
    needs_token: bool = True
    """False for what tells nothing about this machine."""


def make_map(routes: Iterable[Route]) -> Map:
    """Return the map of all addresses; its endpoints are the routes."""
    return Map([Rule(route.path, endpoint=route, methods=[route.method]) for route in routes], merge_slashes=False)
