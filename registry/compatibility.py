"""Check a plugin's own requirements before importing it, so that an old tool gives a reason and not a traceback."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from restore.registry.discovery import OWN_DISTRIBUTION, Candidate
from restore.registry.naming import canonical

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class UnreadableRequirement(ValueError):
    """A requirement that does not follow the packaging specifications."""


def incompatibility(candidate: Candidate, version: str | None = None) -> str:
    """Why this ``restorekit`` does not satisfy the candidate's distribution; empty if it does.

    ``version`` is the version of ``restorekit``, by default the installed one. Raises :class:`UnreadableRequirement`.
    """
    for line in candidate.requires:
        name = _NAME.match(line.strip())
        if name and canonical(name.group()) == OWN_DISTRIBUTION:
            present = version or installed_version(OWN_DISTRIBUTION)
            missing = _unmet(line, present)
            if missing:
                return f"needs {OWN_DISTRIBUTION}{missing}, but {present} is installed"
    return ""


def unmet_requirements(required: tuple[str, ...]) -> list[str]:
    """What ``required`` of plugins.toml asks for and this environment lacks, one line each."""
    missing = []
    for line in required:
        name = parse_name(line)
        try:
            present = installed_version(name)
        except PackageNotFoundError:
            missing.append(f"{line} is not installed")
            continue
        if _unmet(line, present):
            missing.append(f"{line} is required, but {present} is installed")
    return missing


def parse_name(requirement: str) -> str:
    """Name of the distribution that ``"restore-demo>=0.2"`` asks for. Raises :class:`UnreadableRequirement`."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(requirement).name
    except InvalidRequirement as error:
        raise UnreadableRequirement(f"{requirement!r} is no requirement like 'restore-demo>=0.2'") from error


def _unmet(line: str, present: str) -> str:
    """The version part of a requirement that ``present`` does not satisfy; empty if it does or does not apply here."""
    from packaging.requirements import Requirement

    parse_name(line)
    requirement = Requirement(line)
    # An empty `extra` leaves out what is asked for by an optional feature of the distribution only.
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return ""
    return "" if requirement.specifier.contains(present, prereleases=True) else str(requirement.specifier)
