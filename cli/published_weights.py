"""Names of weights that research projects have published, known by the hash of their files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Published:
    """What a published file is called."""

    name: str
    license: str
    """An SPDX identifier, as the catalog states it."""

    def __str__(self) -> str:
        return f"published as {self.name}, license {self.license}"


def find_published(sha256: str) -> Published | None:
    """Return what the file of a hash (64 hexadecimal digits) was published as; None if it is not known.

    ``published_weights.tsv`` holds hash, name and license a line, of the files that OpenModelDB marks as research.
    """
    return _table().get(sha256)


@cache
def _table() -> dict[str, Published]:
    lines = (files("restore.cli") / "published_weights.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {sha256: Published(name, terms) for sha256, name, terms in rows}
