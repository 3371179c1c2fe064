"""Find plugins without importing anything of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions, version
from pathlib import Path
from typing import Final

from restore.registry.naming import canonical, one_line

GROUP: Final = "restore.plugins"
OWN_DISTRIBUTION: Final = "restorekit"


@dataclass(frozen=True)
class Candidate:
    """A plugin that is on offer: an entry point of an installed distribution, or a local module."""

    name: str
    value: str
    """Module of the plugin, or ``module:attribute``."""
    distribution: str | None = None
    """Distribution that offers it; ``None`` for a local module."""
    version: str | None = None
    requires: tuple[str, ...] = ()
    """Requirements of the distribution, as its metadata writes them."""
    path: Path | None = None
    """File or package folder of a local module."""
    fault: str = ""
    """Why it cannot even be tried; empty if it can."""

    @property
    def built_in(self) -> bool:
        """Whether it belongs to this project's own distribution."""
        return canonical(self.distribution) == OWN_DISTRIBUTION

    @property
    def source(self) -> str:
        """Who offers it, for a message."""
        return str(self.path) if self.path else self.distribution or "an unnamed distribution"


@dataclass(frozen=True)
class Discovery:
    """Everything that was found on the import path."""

    candidates: tuple[Candidate, ...] = ()
    warnings: tuple[str, ...] = ()
    """Distributions that could not be looked into."""


def discover() -> Discovery:
    """The plugins that installed distributions declare under the entry-point group ``restore.plugins``.

    A distribution that stands on the import path twice (an editable install beside its checkout, say) counts once, as
    an import takes the first. Only the distributions that declare plugins have their metadata read.
    """
    candidates: list[Candidate] = []
    warnings: list[str] = []
    seen: set[str] = set()
    for distribution in distributions():
        try:
            text = distribution.read_text("entry_points.txt")
            if not text or GROUP not in text:
                continue
            name, number, requires = _metadata(distribution)
            if name and canonical(name) in seen:
                continue
            seen.add(canonical(name))
            declared = [(point.name, point.value) for point in distribution.entry_points.select(group=GROUP)]
        except Exception as error:  # noqa: BLE001  one damaged installation must not hide the others
            warnings.append(f"an installed distribution cannot be read: {one_line(str(error))}")
            continue
        candidates += _declared(declared, name, number, requires)
    return Discovery(tuple(candidates), tuple(warnings))


def own_version(candidates: Iterable[Candidate]) -> str:
    """Version of the installed ``restorekit``: as its plugins among the candidates say, or else as its metadata do."""
    said = (candidate.version for candidate in candidates if candidate.built_in)
    return next((number for number in said if number), None) or version(OWN_DISTRIBUTION)


def _declared(
    points: list[tuple[str, str]], distribution: str | None, number: str | None, requires: tuple[str, ...]
) -> list[Candidate]:
    values: dict[str, dict[str, None]] = {}
    for name, value in points:
        values.setdefault(name, {})[value] = None
    return [
        Candidate(
            name,
            value=next(iter(offered)),
            distribution=distribution,
            version=number,
            requires=requires,
            fault=f"its distribution declares {name!r} twice: {', '.join(offered)}" if len(offered) > 1 else "",
        )
        for name, offered in values.items()
    ]


def _metadata(distribution: Distribution) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Name, version and requirements of a distribution.

    Reads the few header lines itself: parsing every description as an e-mail message takes most of the time of a
    machine with many plugins.
    """
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    header = text.replace("\r\n", "\n").partition("\n\n")[0]
    fields: dict[str, list[str]] = {}
    for line in header.replace("\n ", " ").replace("\n\t", " ").split("\n"):
        key, _, value = line.partition(":")
        fields.setdefault(key.lower(), []).append(value.strip())
    name, number = (fields.get(key, [""])[0] or None for key in ("name", "version"))
    return name, number, tuple(fields.get("requires-dist", ()))
