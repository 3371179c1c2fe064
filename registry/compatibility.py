"""Check a plugin's own requirements before importing it, so that an old tool gives a reason and not a traceback."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError
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
    """What ``required`` of plugins.toml asks for and this environment lacks, one line each."""
    missing = []
    for line in required:
        try:
            present = installed_version(parsed(line).name)
        except PackageNotFoundError:
            missing.append(f"{line} is not installed")
            continue
        if _unmet(line, present):
            missing.append(f"{line} is required, but {present} is installed")
    return missing


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
    # An empty `extra` leaves out what is asked for by an optional feature of the distribution only.
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return ""
    return "" if requirement.specifier.contains(present, prereleases=True) else str(requirement.specifier)
