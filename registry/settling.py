"""Decide, before anything is imported, which of the plugins on offer may be loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from restore.registry.compatibility import UnreadableRequirement, incompatibility
from restore.registry.discovery import Candidate
from restore.registry.naming import canonical, close_to, did_you_mean, one_line
from restore.registry.project_file import FILE_NAME, Project, at_home

State = Literal["ready", "local", "disabled", "conflict", "incompatible", "broken"]
"""``ready`` and ``local`` plugins can be used; ``local`` ones come from ``paths`` of plugins.toml."""


@dataclass(frozen=True)
class Claim:
    """A candidate and whether it may be loaded: ``ready`` and ``local`` ones may."""

    candidate: Candidate
    state: State
    reason: str = ""


def settle(project: Project, installed: Iterable[Candidate], version: str) -> tuple[list[Claim], tuple[str, ...]]:
    """A claim for every plugin, ordered by name, and what plugins.toml says about plugins that do not exist.

    ``version`` is the version of ``restorekit`` that plugins have to be compatible with.
    """
    candidates = [*installed, *(_local(path) for path in project.paths)]
    by_name: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda one: (one.name, not one.built_in, one.source)):
        by_name.setdefault(candidate.name, []).append(candidate)
    claims = []
    for name, rivals in by_name.items():
        winner = _winner(project, name, rivals)
        claims += [_claim(project, candidate, rivals, winner, version) for candidate in rivals]
    return claims, tuple(_unknown_names(project, by_name))


def _local(path: Path) -> Candidate:
    name = path.name.removesuffix(".py")
    return Candidate(name, name, path=path)


def _winner(project: Project, name: str, rivals: Sequence[Candidate]) -> Candidate | None:
    """Who gets the name: whom plugins.toml chose, then the built-in one, then the only one; ``None`` if unsettled."""
    chosen = project.chosen.get(name)
    for candidate in rivals:
        if chosen is not None and _is_chosen(project, chosen, candidate):
            return candidate
    return rivals[0] if len(rivals) == 1 or rivals[0].built_in else None


def _is_chosen(project: Project, chosen: str, candidate: Candidate) -> bool:
    if candidate.path:
        folder = project.path.parent if project.path else Path()
        return (folder / at_home(chosen)).resolve() == candidate.path.resolve()
    return bool(candidate.distribution) and canonical(chosen) == canonical(candidate.distribution)


def _claim(
    project: Project, candidate: Candidate, rivals: Sequence[Candidate], winner: Candidate | None, version: str
) -> Claim:
    name = candidate.name
    fault = _fault(candidate)
    if fault:
        return Claim(candidate, "broken", fault)
    if name in project.disabled:
        return Claim(candidate, "disabled", f"named under `disabled` in {project.path}")
    if project.enabled is not None and name not in project.enabled and not candidate.path:
        return Claim(candidate, "disabled", f"not named under `enabled` in {project.path}")
    if candidate is not winner:
        return _lost(project, candidate, rivals, winner)
    try:
        needs = incompatibility(candidate, version)
    except UnreadableRequirement as error:
        return Claim(candidate, "broken", f"its distribution requires what cannot be read: {one_line(str(error))}")
    if needs:
        return Claim(candidate, "incompatible", needs)
    if candidate.path:
        return Claim(candidate, "local", f"loaded from {candidate.path}, named under `paths` in {project.path}")
    return Claim(candidate, "ready")


def _fault(candidate: Candidate) -> str:
    if not candidate.name.isidentifier():
        return f"{candidate.name!r} is no plugin name: letters, digits and underscores only, no digit first"
    return candidate.fault


def _lost(project: Project, candidate: Candidate, rivals: Sequence[Candidate], winner: Candidate | None) -> Claim:
    line = f'under [distribution] in {FILE_NAME}: {candidate.name} = "{candidate.source}"'
    if winner is None:
        others = ", ".join(rival.source for rival in rivals if rival is not candidate)
        return Claim(candidate, "conflict", f"{others} claims the name too; to use this one, write {line}")
    if candidate.name in project.chosen and _is_chosen(project, project.chosen[candidate.name], winner):
        return Claim(candidate, "disabled", f"{project.path} gives the name to {winner.source}")
    return Claim(
        candidate, "conflict", f"{winner.source} has a built-in plugin of this name; to use this one, write {line}"
    )


def _unknown_names(project: Project, by_name: dict[str, list[Candidate]]) -> Iterable[str]:
    """Warnings, not errors: one file serves machines with fewer plugins."""
    mentioned = {
        "enabled": project.enabled or (),
        "disabled": project.disabled,
        "plugin": project.defaults,
        "distribution": project.chosen,
    }
    for key, names in mentioned.items():
        for name in names:
            if name not in by_name:
                yield f"{project.path}: {key}: no plugin is called {name!r}{did_you_mean(close_to(name, by_name))}"
    for name, chosen in project.chosen.items():
        rivals = by_name.get(name, [])
        if rivals and not any(_is_chosen(project, chosen, rival) for rival in rivals):
            close = close_to(chosen, [rival.source for rival in rivals])
            yield f"{project.path}: distribution: {chosen!r} offers no plugin {name!r}{did_you_mean(close)}"
