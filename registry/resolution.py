"""Decide which of the plugins that were found may be loaded, before anything is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from restore.registry.compatibility import InvalidRequirement, find_incompatibility
from restore.registry.discovery import Candidate, normalize_distribution
from restore.registry.naming import did_you_mean, one_line
from restore.registry.project_file import FILE_NAME, Project, expand_home

State = Literal["ready", "local", "disabled", "conflict", "incompatible", "broken"]
"""``ready`` and ``local`` plugins can be used; ``local`` ones come from ``paths`` of plugins.toml."""


@dataclass(frozen=True)
class Plugin:
    """What is known about one plugin, ready or not."""

    name: str
    distribution: str | None
    """Distribution that contains it; ``None`` for a local module."""
    version: str | None
    state: State
    reason: str
    """One line: why it is not ready, or a note; empty if there is nothing to say."""
    summary: str
    provides: Mapping[str, list[str]]
    """Short names of each kind."""
    load_ms: float | None
    """Milliseconds that loading it took; ``None`` if it was not loaded."""
    path: Path | None = None
    """File or folder of a local module."""


@dataclass(frozen=True)
class ResolvedPlugin:
    """A candidate and whether it may be loaded: ``ready`` and ``local`` ones may."""

    candidate: Candidate
    state: State
    reason: str = ""


def resolve(
    project: Project, installed: Iterable[Candidate], version: str
) -> tuple[list[ResolvedPlugin], tuple[str, ...]]:
    """Decide the state of every plugin.

    Args:
        project: the plugins.toml in force.
        installed: the plugins of installed distributions.
        version: version of ``restorekit`` that plugins have to be compatible with.

    Returns:
        Every plugin, ordered by name, and warnings about plugins that plugins.toml names and that do not exist.
    """
    local = [Candidate(name, name, path=path) for path in project.paths for name in [path.name.removesuffix(".py")]]
    by_name: dict[str, list[Candidate]] = {}
    for candidate in sorted([*installed, *local], key=lambda one: (one.name, not one.built_in, one.source)):
        by_name.setdefault(candidate.name, []).append(candidate)
    resolved = []
    for name, contenders in by_name.items():
        winner = _find_winner(project, name, contenders)
        resolved += [_resolve_one(project, candidate, contenders, winner, version) for candidate in contenders]
    return resolved, tuple(_warn_of_unknown_names(project, by_name))


def _find_winner(project: Project, name: str, contenders: Sequence[Candidate]) -> Candidate | None:
    """Return the plugin that plugins.toml chooses, else the built-in one, else the only one; ``None`` if undecided."""
    chosen = project.chosen.get(name)
    for candidate in contenders:
        if chosen is not None and _is_chosen(project, chosen, candidate):
            return candidate
    return contenders[0] if len(contenders) == 1 or contenders[0].built_in else None


def _is_chosen(project: Project, chosen: str, candidate: Candidate) -> bool:
    if candidate.path:
        folder = project.path.parent if project.path else Path()
        return (folder / expand_home(chosen)).resolve() == candidate.path.resolve()
    return bool(candidate.distribution) and normalize_distribution(chosen) == normalize_distribution(
        candidate.distribution
    )


def _resolve_one(
    project: Project, candidate: Candidate, contenders: Sequence[Candidate], winner: Candidate | None, version: str
) -> ResolvedPlugin:
    name = candidate.name
    if not name.isidentifier():
        reason = f"invalid plugin name {name!r}: use letters, digits and underscores, and no digit first"
        return ResolvedPlugin(candidate, "broken", reason)
    if candidate.error:
        return ResolvedPlugin(candidate, "broken", candidate.error)
    if name in project.disabled:
        return ResolvedPlugin(candidate, "disabled", f"listed in `disabled` of {project.path}")
    if project.enabled is not None and name not in project.enabled and not candidate.path:
        return ResolvedPlugin(candidate, "disabled", f"not listed in `enabled` of {project.path}")
    if candidate is not winner:
        return _resolve_conflict(project, candidate, contenders, winner)
    if not candidate.built_in:
        try:
            needs = find_incompatibility(candidate, version)
        except InvalidRequirement as error:
            reason = f"its distribution has an invalid requirement: {one_line(str(error))}"
            return ResolvedPlugin(candidate, "broken", reason)
        if needs:
            return ResolvedPlugin(candidate, "incompatible", needs)
    if candidate.path:
        return ResolvedPlugin(candidate, "local", f"loaded from {candidate.path}, listed in `paths` of {project.path}")
    return ResolvedPlugin(candidate, "ready")


def _resolve_conflict(
    project: Project, candidate: Candidate, contenders: Sequence[Candidate], winner: Candidate | None
) -> ResolvedPlugin:
    line = f'under [distribution] in {FILE_NAME}: {candidate.name} = "{candidate.source}"'
    if winner is None:
        others = ", ".join(other.source for other in contenders if other is not candidate)
        return ResolvedPlugin(
            candidate, "conflict", f"{others} provides a plugin of the same name; to use this one, write {line}"
        )
    if candidate.name in project.chosen and _is_chosen(project, project.chosen[candidate.name], winner):
        return ResolvedPlugin(candidate, "disabled", f"{project.path} chooses {winner.source} for this name")
    return ResolvedPlugin(
        candidate, "conflict", f"{winner.source} has a built-in plugin of this name; to use this one, write {line}"
    )


def _warn_of_unknown_names(project: Project, by_name: dict[str, list[Candidate]]) -> Iterable[str]:
    """Yield warnings, not errors, since one file may serve environments with fewer plugins."""
    mentioned = {
        "enabled": project.enabled or (),
        "disabled": project.disabled,
        "plugin": project.defaults,
        "distribution": project.chosen,
    }
    for key, names in mentioned.items():
        for name in names:
            if name not in by_name:
                yield f"{project.path}: {key}: no plugin is called {name!r}{did_you_mean(name, by_name)}"
    for name, chosen in project.chosen.items():
        contenders = by_name.get(name, [])
        if contenders and not any(_is_chosen(project, chosen, other) for other in contenders):
            hint = did_you_mean(chosen, [other.source for other in contenders])
            yield f"{project.path}: distribution: {chosen!r} provides no plugin {name!r}{hint}"
