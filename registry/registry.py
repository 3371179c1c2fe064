"""Know every plugin, load those that are needed, and find things by name."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from restore.registry.discovery import Candidate, Discovery, own_version
from restore.registry.errors import AmbiguousName, PluginNotReady, RequirementUnmet, UnknownName
from restore.registry.hooks import KINDS, SINGULAR, Kind
from restore.registry.loading import Loaded, hook_manager, load
from restore.registry.naming import as_plugin, as_registered, close_to, did_you_mean
from restore.registry.project_file import Project
from restore.registry.references import Entry
from restore.registry.settling import Claim, State, settle


@dataclass(frozen=True)
class Plugin:
    """What is known of one plugin, ready or not."""

    name: str
    distribution: str | None
    """Distribution that offers it; ``None`` for a local module."""
    version: str | None
    state: State
    reason: str
    """One line: why it is not ready, or a remark; empty for a plugin that is ready and unremarkable."""
    summary: str
    provides: Mapping[str, list[str]]
    """Short names of each kind."""
    load_ms: float | None
    """Milliseconds that loading it took; ``None`` if it was not loaded."""
    path: Path | None = None
    """File or folder of a local module."""


class Registry:
    """All plugins of one environment and project. Discovers nothing itself; loads a plugin when it is first needed."""

    def __init__(
        self, project: Project, candidates: Discovery | Iterable[Candidate] = (), *, version: str | None = None
    ) -> None:
        """``version`` is what plugins have to be compatible with: by default, of the installed ``restorekit``."""
        found = candidates if isinstance(candidates, Discovery) else Discovery(tuple(candidates))
        self._claims, warnings = settle(project, found.candidates, version or own_version(found.candidates))
        self.project = replace(project, warnings=(*project.warnings, *found.warnings, *warnings))
        self._loaded: dict[Claim, Loaded] = {}
        self._loading: set[Claim] = set()
        self._manager = hook_manager()
        self._lock = threading.RLock()
        self._requirements_met = not project.required

    def get(self, kind: str, name: str) -> Any:
        """The object called ``name``. Raises :class:`RegistryError` in one of its forms."""
        return self.entry(kind, name).load()

    def entry(self, kind: str, name: str) -> Entry:
        """What is registered as ``plugin/name``, or as ``name`` where only one plugin has it; imports no object.

        A task is looked for in the plugin of its own name first. Raises :class:`UnknownName`, :class:`AmbiguousName`,
        :class:`PluginNotReady` and, for an environment that lacks what plugins.toml requires,
        :class:`RequirementUnmet`.
        """
        known = _checked_kind(kind)
        self._check_requirements()
        plugin, slash, short = name.partition("/")
        if slash:
            return self._entry_of(known, as_plugin(plugin), as_registered(known, short))
        wanted = as_registered(known, name)
        if known == "tasks":
            for entry in self._entries_of(as_plugin(name)):
                if (entry.kind, entry.name) == (known, wanted):
                    return entry
        return self._only(known, wanted)

    def entries(self, kind: str) -> list[Entry]:
        """Everything of one kind, ordered by plugin. Loads all plugins."""
        known = _checked_kind(kind)
        return [entry for claim in self._claims for entry in self._load(claim).entries if entry.kind == known]

    def plugins(self) -> list[Plugin]:
        """Every plugin that was found, ready or not, ordered by name. Loads those that may be loaded."""
        return [self._plugin(claim) for claim in self._claims]

    def plugin_defaults(self, plugin: str) -> dict[str, Any]:
        """A copy of the settings that plugins.toml gives under ``[plugin.NAME]``."""
        return deepcopy(dict(self.project.defaults.get(as_plugin(plugin), {})))

    def unmet_requirements(self) -> list[str]:
        """What ``required`` of plugins.toml asks for and this environment lacks, one line each."""
        if not self.project.required:
            return []
        from restore.registry.compatibility import unmet_requirements

        return unmet_requirements(self.project.required)

    def _check_requirements(self) -> None:
        if self._requirements_met:
            return
        missing = self.unmet_requirements()
        if missing:
            raise RequirementUnmet(f"{self.project.path}: {'; '.join(missing)}")
        self._requirements_met = True

    def _load(self, claim: Claim) -> Loaded:
        """Load a plugin once; one that may not be loaded, or that is being loaded right now, provides nothing."""
        with self._lock:
            if claim not in self._loaded:
                if claim.state not in ("ready", "local") or claim in self._loading:
                    return _NOTHING
                self._loading.add(claim)
                try:
                    self._loaded[claim] = load(claim.candidate, self._manager)
                finally:
                    self._loading.discard(claim)
            return self._loaded[claim]

    def _plugin(self, claim: Claim) -> Plugin:
        loaded = self._load(claim)
        state, reason = self._standing(claim)
        return Plugin(
            name=claim.candidate.name,
            distribution=claim.candidate.distribution,
            version=claim.candidate.version,
            state=state,
            reason=reason,
            summary=loaded.summary,
            provides={kind: [entry.name for entry in loaded.entries if entry.kind == kind] for kind in KINDS},
            load_ms=None if loaded is _NOTHING else loaded.load_ms,
            path=claim.candidate.path,
        )

    def _standing(self, claim: Claim) -> tuple[State, str]:
        """State and reason of a plugin, now that it was loaded if it may be."""
        loaded = self._load(claim)
        if loaded.problem:
            return "broken", loaded.problem
        return claim.state, loaded.remark or claim.reason

    def _entries_of(self, plugin: str) -> list[Entry]:
        return [
            entry for claim in self._claims if claim.candidate.name == plugin for entry in self._load(claim).entries
        ]

    def _entry_of(self, kind: Kind, plugin: str, short: str) -> Entry:
        entries = [entry for entry in self._entries_of(plugin) if entry.kind == kind]
        for entry in entries:
            if entry.name == short:
                return entry
        self._refuse_unready(plugin)
        if not any(claim.candidate.name == plugin for claim in self._claims):
            close = close_to(plugin, {claim.candidate.name for claim in self._claims})
            raise UnknownName(f"there is no plugin {plugin!r}{did_you_mean(close)}", name=plugin, close=close)
        close = close_to(short, [entry.name for entry in entries])
        full = [f"{plugin}/{name}" for name in close]
        hint = did_you_mean(full) or _listing([entry.full_name for entry in entries])
        raise UnknownName(f"plugin {plugin!r} has no {SINGULAR[kind]} {short!r}{hint}", name=short, close=full)

    def _only(self, kind: Kind, wanted: str) -> Entry:
        """The one thing of this short name in all plugins."""
        entries = self.entries(kind)
        found = [entry for entry in entries if entry.name == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            candidates = [entry.full_name for entry in found]
            raise AmbiguousName(
                f"{SINGULAR[kind]} {wanted!r} is ambiguous: say {' or '.join(candidates)}",
                name=wanted,
                candidates=candidates,
            )
        self._refuse_unready(as_plugin(wanted))
        close = close_to(wanted, [entry.name for entry in entries])
        hint = did_you_mean(close) or _listing([entry.name for entry in entries])
        raise UnknownName(
            f"there is no {SINGULAR[kind]} {wanted!r}{hint}{self._unready_remark()}", name=wanted, close=close
        )

    def _refuse_unready(self, plugin: str) -> None:
        """Say why the plugin of this name cannot be used, if there is one and none of that name can."""
        claims = [claim for claim in self._claims if claim.candidate.name == plugin]
        standings = [self._standing(claim) for claim in claims]
        if not claims or any(state in ("ready", "local") for state, _ in standings):
            return
        claim, (state, reason) = claims[0], standings[0]
        version = f" {claim.candidate.version}" if claim.candidate.version else ""
        standing = "in conflict" if state == "conflict" else state
        raise PluginNotReady(f"plugin {plugin!r} ({claim.candidate.source}{version}) is {standing}: {reason}")

    def _unready_remark(self) -> str:
        """A pointer to plugins that might have had the name, had they been loaded."""
        bad = [c.candidate.name for c in self._claims if self._standing(c)[0] in ("broken", "incompatible", "conflict")]
        return f" (not usable: {', '.join(bad)}; see `restore list-plugins`)" if bad else ""


_NOTHING = Loaded(entries=(), summary="", problem="", remark="", load_ms=0.0)


def _checked_kind(kind: str) -> Kind:
    for known in KINDS:
        if kind == known:
            return known
    raise UnknownName(f"there is no kind {kind!r}{_listing(list(KINDS))}", name=kind, close=close_to(kind, KINDS))


def _listing(names: list[str], limit: int = 20) -> str:
    """``; there are: a, b`` with a limit; ``; there are none`` for nothing."""
    if not names:
        return "; there are none"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"; there are: {', '.join(names[:limit])}{more}"
