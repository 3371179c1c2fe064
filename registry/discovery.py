"""Find plugins without importing them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoints, distributions, version
from pathlib import Path
from typing import Final

from restore.registry.kinds import DECLARED, Kind
from restore.registry.naming import one_line

GROUP: Final = "restore.plugins"
NAME_GROUPS: Final[dict[Kind, str]] = {kind: f"restore.{kind}" for kind in DECLARED}
"""Groups in which a distribution may declare what its plugins provide: ``bicubic = "module of the plugin"``."""
OWN_DISTRIBUTION: Final = "restorekit"


@dataclass(frozen=True)
class Candidate:
    """A plugin that was found: an entry point of an installed distribution, or a local module."""

    name: str
    value: str
    """Module of the plugin, or ``module:attribute``."""
    distribution: str | None = None
    """Distribution that contains it; ``None`` for a local module."""
    version: str | None = None
    requires: tuple[str, ...] = ()
    """Requirements of the distribution, as its metadata writes them."""
    path: Path | None = None
    """File or package folder of a local module."""
    error: str = ""
    """Why it cannot be loaded; empty if it can."""
    names: frozenset[tuple[Kind, str]] | None = None
    """What its distribution declares it to provide, of the kinds in ``DECLARED``; ``None`` if it declares nothing."""

    def may_provide(self, kind: Kind, name: str) -> bool:
        """Whether it has to be loaded to find out if it provides something."""
        return self.names is None or kind not in NAME_GROUPS or (kind, name) in self.names

    @property
    def built_in(self) -> bool:
        """Whether it belongs to this project's own distribution."""
        return normalize_distribution(self.distribution) == OWN_DISTRIBUTION

    @property
    def source(self) -> str:
        """Where it comes from, for messages."""
        return str(self.path) if self.path else self.distribution or "an unnamed distribution"


@dataclass(frozen=True)
class Discovery:
    """Everything that was found on the import path."""

    candidates: tuple[Candidate, ...] = ()
    warnings: tuple[str, ...] = ()
    """Distributions that could not be read."""


def discover() -> Discovery:
    """Return the plugins that installed distributions declare in the entry-point group ``restore.plugins``.

    A distribution may also declare the names of what its plugins provide, in ``NAME_GROUPS``. If it declares one, it
    declares all names of these kinds of all its plugins.

    A distribution that is on the import path twice (such as an editable install next to its checkout) counts once, as
    an import takes the first. Metadata are read only of distributions that declare plugins.
    """
    candidates: list[Candidate] = []
    warnings: list[str] = []
    seen: set[str] = set()
    for distribution in distributions():
        try:
            text = distribution.read_text("entry_points.txt")
            if not text or GROUP not in text:
                continue
            metadata = distribution.metadata  # parsed on each access
            name, number = ((metadata.get_all(key) or [None])[0] for key in ("Name", "Version"))
            requires = tuple(" ".join(line.split()) for line in metadata.get_all("Requires-Dist") or ())
            if name and normalize_distribution(name) in seen:
                continue
            seen.add(normalize_distribution(name))
            points = distribution.entry_points  # parsed on each access
            declared = [(point.name, point.value) for point in points.select(group=GROUP)]
            names = _find_names(points)
        except Exception as error:  # noqa: BLE001 - one damaged installation must not hide the others
            warnings.append(f"an installed distribution cannot be read: {one_line(str(error))}")
            continue
        candidates += _make_candidates(declared, name, number, requires, names)
    return Discovery(tuple(candidates), tuple(warnings))


def own_version(candidates: Iterable[Candidate]) -> str:
    """Return the version of the installed ``restorekit``, from its plugins among the candidates if there are any."""
    versions = (candidate.version for candidate in candidates if candidate.built_in)
    return next((number for number in versions if number), None) or version(OWN_DISTRIBUTION)


def normalize_distribution(name: str | None) -> str:
    """Return a distribution's name as package indexes compare it: ``Restore.Demo`` and ``restore-demo`` are equal."""
    return re.sub(r"[-_.]+", "-", name or "").lower()


def _find_names(points: EntryPoints) -> dict[str, set[tuple[Kind, str]]] | None:
    """Return what a distribution declares its plugins to provide, by the module of the plugin."""
    names: dict[str, set[tuple[Kind, str]]] = {}
    for kind, group in NAME_GROUPS.items():
        for point in points.select(group=group):
            names.setdefault(point.value, set()).add((kind, point.name))
    return names or None


def _make_candidates(
    points: list[tuple[str, str]],
    distribution: str | None,
    number: str | None,
    requires: tuple[str, ...],
    names: dict[str, set[tuple[Kind, str]]] | None,
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
            error=f"its distribution declares {name!r} twice: {', '.join(offered)}" if len(offered) > 1 else "",
            names=None if names is None else frozenset(names.get(next(iter(offered)), ())),
        )
        for name, offered in values.items()
    ]
