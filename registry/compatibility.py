"""Check requirements before importing a plugin, so that an outdated package gives a reason and not a traceback."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, requires
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

from restore.registry.discovery import OWN_DISTRIBUTION, Candidate, normalize_distribution

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class InvalidRequirement(ValueError):
    """A requirement that does not follow the packaging specifications."""


def find_incompatibility(candidate: Candidate, version: str) -> str:
    """Return why this ``version`` of ``restorekit`` does not suit the candidate's distribution; empty if it does.

    Raises :class:`InvalidRequirement`.
    """
    for line in candidate.requires:
        name = _NAME.match(line.strip())
        if name and normalize_distribution(name.group()) == OWN_DISTRIBUTION:
            missing = _unmet_version(line, version)
            if missing:
                return f"needs {OWN_DISTRIBUTION}{missing}, but {version} is installed"
    return ""


def find_unmet_requirements(required: Iterable[str]) -> list[str]:
    """Return the requirements that this environment does not meet, one line each.

    The requirements of extras, such as in ``restore-demo[gpu]``, are checked too. A requirement whose marker excludes
    this environment is skipped.
    """
    asked: set[tuple[str, str]] = set()
    return [unmet for line in required for unmet in _find_unmet(line, asked)]


def _find_unmet(line: str, asked: set[tuple[str, str]]) -> Iterator[str]:
    """Yield what one requirement lacks in this environment; extras in ``asked`` were checked already."""
    requirement = parse_requirement(line)
    if not _applies(requirement):
        return
    try:
        present = installed_version(requirement.name)
    except PackageNotFoundError:
        yield f"{line} is not installed"
        return
    if _unmet_version(line, present):
        yield f"{line} is required, but {present} is installed"
    for extra in sorted(requirement.extras):
        if (
            normalize_distribution(requirement.name),
            normalize_distribution(extra),
        ) not in asked:  # extras may require each other
            asked.add((normalize_distribution(requirement.name), normalize_distribution(extra)))
            yield from _find_unmet_of_extra(requirement.name, extra, line, asked)


def _find_unmet_of_extra(name: str, extra: str, line: str, asked: set[tuple[str, str]]) -> Iterator[str]:
    """Yield what one extra of an installed distribution lacks in this environment."""
    offered = {normalize_distribution(known): known for known in metadata(name).get_all("Provides-Extra") or []}
    if normalize_distribution(extra) not in offered:
        yield f"{line} is required, but {name} {installed_version(name)} has no extra {extra!r}"
        return
    for needed in requires(name) or []:
        try:
            requirement = parse_requirement(needed)
        except InvalidRequirement:  # of another distribution, which pip accepted
            continue
        if not _applies(requirement) and _applies(requirement, offered[normalize_distribution(extra)]):
            extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
            yield from (
                f"for {line}: {one}" for one in _find_unmet(f"{requirement.name}{extras}{requirement.specifier}", asked)
            )


@cache
def parse_requirement(line: str) -> Requirement:
    """Parse ``"restore-demo>=0.2"``. Raises :class:`InvalidRequirement`."""
    from packaging import requirements

    try:
        return requirements.Requirement(line)
    except requirements.InvalidRequirement as error:
        raise InvalidRequirement(f"{line!r} is not a requirement such as 'restore-demo>=0.2'") from error


def _unmet_version(line: str, present: str) -> str:
    """Return the version part of a requirement if ``present`` does not satisfy it; empty if it does or is excluded."""
    requirement = parse_requirement(line)
    if not _applies(requirement) or requirement.specifier.contains(present, prereleases=True):
        return ""
    return str(requirement.specifier)


def _applies(requirement: Requirement, extra: str = "") -> bool:
    """Whether the marker of a requirement includes this environment; without ``extra``, of no optional feature."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
