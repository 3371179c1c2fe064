"""Check a plugin's own requirements before importing it, so that an old tool gives a reason and not a traceback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, requires
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

from restore.registry.discovery import OWN_DISTRIBUTION, Candidate
from restore.registry.naming import canonical

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class UnreadableRequirement(ValueError):
    """A requirement that does not follow the packaging specifications."""


def incompatibility(candidate: Candidate, version: str) -> str:
    """Why this ``version`` of ``restorekit`` does not satisfy the candidate's distribution; empty if it does.

    Raises :class:`UnreadableRequirement`.
    """
    for line in candidate.requires:
        name = _NAME.match(line.strip())
        if name and canonical(name.group()) == OWN_DISTRIBUTION:
            missing = _unmet(line, version)
            if missing:
                return f"needs {OWN_DISTRIBUTION}{missing}, but {version} is installed"
    return ""


def unmet_requirements(required: tuple[str, ...]) -> list[str]:
    """What ``required`` of plugins.toml asks for and this environment lacks, one line each.

    What a line asks for by extras, as ``restore-demo[gpu]``, is looked for too; a line whose marker speaks of another
    environment asks for nothing.
    """
    asked: set[tuple[str, str]] = set()
    return [fault for line in required for fault in _faults(line, asked)]


def _faults(line: str, asked: set[tuple[str, str]]) -> Iterator[str]:
    """What of one requirement this environment lacks; extras that were ``asked`` for already are left out."""
    requirement = parsed(line)
    if not _applies(requirement):
        return
    try:
        present = installed_version(requirement.name)
    except PackageNotFoundError:
        yield f"{line} is not installed"
        return
    if _unmet(line, present):
        yield f"{line} is required, but {present} is installed"
    for extra in sorted(requirement.extras):
        if (canonical(requirement.name), canonical(extra)) not in asked:  # extras may ask for each other
            asked.add((canonical(requirement.name), canonical(extra)))
            yield from _faults_of_extra(requirement.name, extra, line, asked)


def _faults_of_extra(name: str, extra: str, line: str, asked: set[tuple[str, str]]) -> Iterator[str]:
    """What an installed distribution needs for one of its extras, and this environment lacks."""
    offered = {canonical(known): known for known in metadata(name).get_all("Provides-Extra") or []}
    if canonical(extra) not in offered:
        yield f"{line} is required, but {name} {installed_version(name)} has no extra {extra!r}"
        return
    for needed in requires(name) or []:
        try:
            requirement = parsed(needed)
        except UnreadableRequirement:  # of somebody else's distribution, which pip has let pass
            continue
        if not _applies(requirement) and _applies(requirement, offered[canonical(extra)]):
            extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
            yield from (
                f"for {line}: {one}" for one in _faults(f"{requirement.name}{extras}{requirement.specifier}", asked)
            )


@cache
def parsed(line: str) -> Requirement:
    """``"restore-demo>=0.2"`` in its parts. Raises :class:`UnreadableRequirement`."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise UnreadableRequirement(f"{line!r} is no requirement like 'restore-demo>=0.2'") from error


def _unmet(line: str, present: str) -> str:
    """The version part of a requirement that ``present`` does not satisfy; empty if it does or does not apply here."""
    requirement = parsed(line)
    if not _applies(requirement) or requirement.specifier.contains(present, prereleases=True):
        return ""
    return str(requirement.specifier)


def _applies(requirement: Requirement, extra: str = "") -> bool:
    """Whether the marker of a requirement speaks of this environment; without ``extra``, of no optional feature."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
