"""The files of the page, read once: a request names one of these, and no path."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

OWN, SHARED = "restore.cli.server", "restore.core.pages"
"""Packages whose folder ``static`` is served."""

CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True)
class StaticFile:
    """A file of the page."""

    content: bytes
    content_type: str


def load_static() -> dict[str, StaticFile]:
    """Return the files by name: those of the server, and those that all pages share."""
    found: dict[str, StaticFile] = {}
    for package in (SHARED, OWN):
        for file in (files(package) / "static").iterdir():
            suffix = file.name.rpartition(".")[2]
            if suffix in CONTENT_TYPES:
                found[file.name] = StaticFile(file.read_bytes(), CONTENT_TYPES[suffix])
    return found
