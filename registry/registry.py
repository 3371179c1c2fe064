"""Know every plugin, load those that are needed, and find what they provide by name."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from restore.registry.discovery import Candidate, Discovery, discover, own_version
from restore.registry.errors import (
    AmbiguousName,
    PluginNotReady,
    RegistryError,
    RequirementUnmet,
    UnknownName,
    WrongRole,
)
from restore.registry.kinds import KINDS, SINGULAR, Kind
from restore.registry.loading import Loaded, load, make_hook_manager
from restore.registry.naming import close_matches, did_you_mean, normalize_name, normalize_plugin, one_line
from restore.registry.project_file import Project, find_project
from restore.registry.references import Entry
from restore.registry.resolution import Plugin, ResolvedPlugin, State, resolve

_NOTHING = Loaded(entries=(), summary="", error="", note="", load_ms=0.0)
_current: Registry | None = None


def current() -> Registry:
    """Return the registry of this process, made once from the project file in force and everything installed.

    Raises :class:`ProjectFileError` if plugins.toml is invalid.
    """
    global _current
    if _current is None:
        _current = Registry(find_project(), discover())
    return _current


def reset(registry: Registry | None = None) -> None:
    """Use ``registry`` from now on, or look everything up again on next use; for tests and long-lived processes."""
    global _current
    _current = registry


def get(kind: str, name: str) -> Any:
    """Return the object called ``name``: ``get("architectures", "srgan/msrresnet")``; see :meth:`Registry.entry`."""
    return current().entry(kind, name).load()


def entry(kind: str, name: str, *, roles: Collection[str] = ()) -> Entry:
    """Return what is registered under ``name``; see :meth:`Registry.entry`."""
    return current().entry(kind, name, roles=roles)


def first_entry(kinds: Sequence[str], name: str) -> Entry:
    """Return what is registered under ``name`` as the first of these kinds; see :meth:`Registry.first_entry`."""
    return current().first_entry(kinds, name)


def entries(kind: str) -> list[Entry]:
    """Return everything of one kind, ordered by plugin. Loads all plugins."""
    return current().entries(kind)


def plugins() -> list[Plugin]:
    """Return every plugin that was found, ready or not, ordered by name. Loads all plugins."""
    return current().plugins()


def plugin_defaults(plugin: str) -> dict[str, Any]:
    """Return the settings that plugins.toml gives under ``[plugin.NAME]``; empty if it gives none."""
    return current().plugin_defaults(plugin)


def project() -> Project:
    """Return the plugins.toml in force; its ``warnings`` name plugins that it mentions and that are not installed."""
    return current().project


def unmet_requirements() -> list[str]:
    """Return what ``required`` of plugins.toml asks for and this environment lacks, one line each."""
    return current().unmet_requirements()


class Registry:
    """All plugins of one environment and project. Does not search for plugins; loads each when it is first needed.

    Args:
        project: the plugins.toml in force.
        candidates: the plugins that were found.
        version: version of ``restorekit`` that plugins have to be compatible with; None: the installed one.
    """

    def __init__(
        self, project: Project, candidates: Discovery | Iterable[Candidate] = (), *, version: str | None = None
    ) -> None:
        found = candidates if isinstance(candidates, Discovery) else Discovery(tuple(candidates))
        self._resolved, warnings = resolve(project, found.candidates, version or own_version(found.candidates))
        self.project = replace(project, warnings=(*project.warnings, *found.warnings, *warnings))
        self._loaded: dict[ResolvedPlugin, Loaded] = {}
        self._loading: set[ResolvedPlugin] = set()
        self._manager = make_hook_manager()
        self._lock = threading.RLock()
        self._requirements_met = not project.required

    def get(self, kind: str, name: str) -> Any:
        """Return the object called ``name``. Raises :class:`RegistryError` in one of its forms."""
        return self.entry(kind, name).load()

    def entry(self, kind: str, name: str, *, roles: Collection[str] = ()) -> Entry:
        """Return what is registered as ``plugin/name``, or as ``name`` if only one plugin has it. Imports no object.

        A task is searched in the plugin of its own name first.

        Args:
            kind: what it is one of, such as ``"architectures"``.
            name: its name.
            roles: the roles that it may have; empty: any.

        Raises:
            UnknownName: nothing that can be used has the name.
            AmbiguousName: several plugins have something of the name, and no plugin was named.
            WrongRole: what has the name has another role.
            PluginNotReady: the plugin that was named cannot be used.
            RequirementUnmet: the environment lacks what plugins.toml requires.
        """
        known = _check_kind(kind)
        found = self.first_entry([known], name, roles=roles)
        role = getattr(found.spec, "role", None)
        if roles and role not in roles:
            usable = [other.full_name for other in self.entries(known) if getattr(other.spec, "role", None) in roles]
            raise WrongRole(
                f"{SINGULAR[known]} {found.full_name} is registered for {role}, not for {' or '.join(roles)}"
                f"{_format_available(usable)}"
            )
        return found

    def first_entry(self, kinds: Sequence[str], name: str, *, roles: Collection[str] = ()) -> Entry:
        """Return what is registered under ``name`` as the first of these kinds that has the name.

        Loads plugins that have the name according to their metadata, and those whose metadata say nothing; all of them
        only if none of these has it. Raises as :meth:`entry`, with the message for the last of the kinds.
        """
        known = [_check_kind(kind) for kind in kinds]
        self._check_requirements()
        for load_all in (False, True):
            for kind in known:
                if found := self._find(kind, name, roles, load_all):
                    return found
        raise self._explain_unknown(known[-1], name)

    def _find(self, kind: Kind, name: str, roles: Collection[str], load_all: bool) -> Entry | None:
        plugin, slash, short = name.partition("/")
        wanted = normalize_name(kind, short if slash else name)
        if slash or kind == "tasks":  # a task may be found in the plugin of its own name
            for found in self._entries_of(normalize_plugin(plugin)):
                if (found.kind, found.name) == (kind, wanted):
                    return found
        if slash:
            return None
        asked = [each for each in self._resolved if load_all or each.candidate.may_provide(kind, wanted)]
        return self._find_in(asked, kind, wanted, roles)

    def entries(self, kind: str) -> list[Entry]:
        """Return everything of one kind, ordered by plugin. Loads all plugins."""
        known = _check_kind(kind)
        return [entry for each in self._resolved for entry in self._load(each).entries if entry.kind == known]

    def plugins(self) -> list[Plugin]:
        """Return every plugin that was found, ready or not, ordered by name. Loads those that may be loaded."""
        described = []
        for each in self._resolved:
            loaded = self._load(each)
            state, reason = self._status(each)
            described.append(
                Plugin(
                    name=each.candidate.name,
                    distribution=each.candidate.distribution,
                    version=each.candidate.version,
                    state=state,
                    reason=reason,
                    summary=loaded.summary,
                    provides={kind: [entry.name for entry in loaded.entries if entry.kind == kind] for kind in KINDS},
                    load_ms=None if loaded is _NOTHING else loaded.load_ms,
                    path=each.candidate.path,
                )
            )
        return described

    def plugin_defaults(self, plugin: str) -> dict[str, Any]:
        """Return a copy of the settings that plugins.toml gives under ``[plugin.NAME]``."""
        return deepcopy(dict(self.project.defaults.get(normalize_plugin(plugin), {})))

    def unmet_requirements(self) -> list[str]:
        """Return what ``required`` of plugins.toml asks for and this environment lacks, one line each."""
        if not self.project.required:
            return []
        from restore.registry.compatibility import find_unmet_requirements

        return find_unmet_requirements(self.project.required)

    def _check_requirements(self) -> None:
        if self._requirements_met:
            return
        missing = self.unmet_requirements()
        if missing:
            raise RequirementUnmet(f"{self.project.path}: {'; '.join(missing)}")
        self._requirements_met = True

    def _load(self, plugin: ResolvedPlugin) -> Loaded:
        """Load a plugin once; one that may not be loaded, or that is being loaded right now, provides nothing."""
        with self._lock:
            if plugin not in self._loaded:
                if plugin.state not in ("ready", "local") or plugin in self._loading:
                    return _NOTHING
                self._loading.add(plugin)
                try:
                    self._loaded[plugin] = load(plugin.candidate, self._manager)
                finally:
                    self._loading.discard(plugin)
            return self._loaded[plugin]

    def _status(self, plugin: ResolvedPlugin) -> tuple[State, str]:
        """Return state and reason of a plugin after loading it, if it may be loaded."""
        loaded = self._load(plugin)
        if loaded.error:
            return "broken", loaded.error
        return plugin.state, loaded.note or plugin.reason

    def _entries_of(self, plugin: str) -> list[Entry]:
        return [entry for each in self._resolved if each.candidate.name == plugin for entry in self._load(each).entries]

    def _find_in(
        self, plugins: Iterable[ResolvedPlugin], kind: Kind, wanted: str, roles: Collection[str]
    ) -> Entry | None:
        """Return the one entry with this short name in some plugins, or the one with one of the roles if any has one.

        Raises :class:`AmbiguousName` if there are several.
        """
        entries = [entry for each in plugins for entry in self._load(each).entries]
        found = [entry for entry in entries if (entry.kind, entry.name) == (kind, wanted)]
        found = [entry for entry in found if getattr(entry.spec, "role", None) in roles] or found
        if len(found) > 1:
            candidates = [entry.full_name for entry in found]
            raise AmbiguousName(
                f"{SINGULAR[kind]} {wanted!r} is ambiguous: use {' or '.join(candidates)}",
                name=wanted,
                candidates=candidates,
            )
        return found[0] if found else None

    def _explain_unknown(self, kind: Kind, name: str) -> RegistryError:
        """Return the error about a name that nothing has. Loads all plugins."""
        plugin, slash, short = name.partition("/")
        if slash:
            return self._explain_unknown_in(kind, normalize_plugin(plugin), normalize_name(kind, short))
        wanted = normalize_name(kind, name)
        if unready := self._explain_unready(normalize_plugin(wanted)):
            return unready
        known = [entry.name for entry in self.entries(kind)]
        hint = did_you_mean(wanted, known) or _format_available(known)
        unusable = self._describe_unusable()
        return UnknownName(
            "\n".join(filter(None, [f"no {SINGULAR[kind]} is called {wanted!r}{hint}", unusable])),
            name=wanted,
            close=close_matches(wanted, known),
            unusable=unusable,
        )

    def _explain_unknown_in(self, kind: Kind, plugin: str, short: str) -> RegistryError:
        """Return the error about a name that a plugin does not have."""
        if unready := self._explain_unready(plugin):
            return unready
        plugins = {each.candidate.name for each in self._resolved}
        if plugin not in plugins:
            return UnknownName(
                f"no plugin is called {plugin!r}{did_you_mean(plugin, plugins)}",
                name=plugin,
                close=close_matches(plugin, plugins),
            )
        entries = [entry for entry in self._entries_of(plugin) if entry.kind == kind]
        close = [f"{plugin}/{name}" for name in close_matches(short, [entry.name for entry in entries])]
        hint = did_you_mean(close=close) or _format_available([entry.full_name for entry in entries])
        return UnknownName(f"plugin {plugin!r} has no {SINGULAR[kind]} {short!r}{hint}", name=short, close=close)

    def _describe_unusable(self) -> str:
        """Return one line about plugins that cannot be used although nobody disabled them; empty if there are none."""
        found = []
        for each in self._resolved:
            state, reason = self._status(each)
            if state in ("broken", "incompatible", "conflict"):
                found.append(f"{each.candidate.name} ({each.candidate.source}) is {state}: {one_line(reason, 120)}")
        if len(found) > 1:
            found = [f"{found[0]}; and {len(found) - 1} more, see restore list-plugins"]
        return f"A plugin that is installed cannot be used: {found[0]}" if found else ""

    def _explain_unready(self, name: str) -> PluginNotReady | None:
        """Return the error if there are plugins of this name and none of them can be used."""
        plugins = [each for each in self._resolved if each.candidate.name == name]
        statuses = [self._status(each) for each in plugins]
        if not plugins or any(state in ("ready", "local") for state, _ in statuses):
            return None
        candidate, (state, reason) = plugins[0].candidate, statuses[0]
        version = f" {candidate.version}" if candidate.version else ""
        status = "in conflict" if state == "conflict" else state
        return PluginNotReady(f"plugin {name!r} ({candidate.source}{version}) is {status}: {reason}")


def _check_kind(kind: str) -> Kind:
    for known in KINDS:
        if kind == known:
            return known
    raise UnknownName(f"no such kind: {kind!r}{_format_available(KINDS)}", name=kind, close=close_matches(kind, KINDS))


def _format_available(names: Iterable[str], limit: int = 20) -> str:
    """Return ``; available: a, b``, cut at ``limit`` names."""
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return f"; available: {', '.join(listed[:limit]) or 'none'}{more}"
