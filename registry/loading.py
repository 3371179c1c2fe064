"""Import one plugin and collect what it provides. An error affects only that plugin."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pluggy

from restore.registry.capture_output import capture_output
from restore.registry.discovery import NAME_GROUPS, Candidate
from restore.registry.hooks import HookSpecifications
from restore.registry.kinds import KINDS, SINGULAR, Kind
from restore.registry.naming import close_matches, did_you_mean, is_dotted, one_line
from restore.registry.references import Entry, describe_error, is_missing_module, resolve_reference
from restore.registry.registration import RegistrationError, check_collisions, check_specs
from restore.registry.specs import SPECS, InvalidSpec, Spec

HOOKS = tuple(f"restore_{kind}" for kind in KINDS)


@dataclass(frozen=True)
class Loaded:
    """The result of loading one plugin."""

    entries: tuple[Entry, ...]
    """What it provides; nothing if it is broken."""
    summary: str
    """First line of its docstring."""
    error: str
    """Why it is broken, on one line; empty if it is not."""
    note: str
    """Something for its author; empty if there is nothing."""
    load_ms: float
    """Duration in milliseconds."""


def make_hook_manager() -> pluggy.PluginManager:
    """Return a manager with the specifications of all hooks, for :func:`load`; to make one is slow."""
    manager = pluggy.PluginManager("restore")
    manager.add_hookspecs(HookSpecifications)
    return manager


def load(candidate: Candidate, manager: pluggy.PluginManager) -> Loaded:
    """Import a plugin and collect what its hooks return. Never raises, and leaves ``manager`` unchanged.

    SystemExit and KeyboardInterrupt raised by the plugin are errors of the plugin too and do not end the tool. (A
    Ctrl-C typed at this very moment looks the same.)
    """
    specs: list[Spec] = []
    summary = failure = ""
    began = time.perf_counter()
    with capture_output() as captured:
        try:
            plugin = _import(candidate)
            summary = _summary(plugin)
            specs = _collect(manager, plugin, candidate.name)
        except BaseException as error:  # noqa: BLE001 - see above
            failure = _reason(candidate, error)
    return Loaded(
        entries=tuple(Entry(candidate.name, spec, candidate.distribution, candidate.version) for spec in specs),
        summary=summary,
        error=failure,
        note="" if failure else _note(candidate, specs, captured()),
        load_ms=(time.perf_counter() - began) * 1000,
    )


def _import(candidate: Candidate) -> Any:
    if candidate.path:
        return _import_local(candidate.name, candidate.path)
    reference = candidate.value.partition("[")[0].strip()
    if reference.count(":") > 1 or not all(is_dotted(part) for part in reference.split(":")):
        raise RegistrationError(f"its entry point is not a module: {candidate.value!r}")
    return resolve_reference(reference)


def _import_local(name: str, path: Path) -> Any:
    """Import a local module under its own name, so that references and worker processes find it."""
    module = path / "__init__.py" if path.is_dir() else path
    if not module.is_file():
        raise RegistrationError(f"{module}: no such file")
    if not path.is_dir() and path.suffix != ".py":
        raise RegistrationError(f"{path} is neither a .py file nor a package folder")
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    found = find_spec(name)
    if found is None or found.origin is None or Path(found.origin).resolve() != module.resolve():
        other = found.origin if found and found.origin else "a package without a file"
        raise RegistrationError(f"another module is called {name!r} ({other}); rename {path.name}")
    return import_module(name)


def _collect(manager: pluggy.PluginManager, plugin: Any, name: str) -> list[Spec]:
    """Return what the hooks of this plugin return, in the order of the kinds."""
    for hook in HOOKS:
        if callable(getattr(plugin, hook, None)) and manager.parse_hookimpl_opts(plugin, hook) is None:
            raise RegistrationError(f"{hook} is not marked with @hookimpl")
    # A plugin may ask the registry for something while it is loaded, so another one may be loading right now.
    others = [registered for _, registered in manager.list_name_plugin()]
    try:
        manager.register(plugin, name=name)
    except pluggy.PluginValidationError as error:
        raise RegistrationError(_wrong_hook(error)) from error
    try:
        callers = {caller.name: caller for caller in manager.get_hookcallers(plugin) or ()}
        for hook, caller in callers.items():
            if not caller.has_spec() and not all(found.optionalhook for found in caller.get_hookimpls()):
                # Only the best match: all hooks begin alike, so each of them is close.
                hint = did_you_mean(close=close_matches(hook, HOOKS)[:1])
                raise RegistrationError(f"no such hook: {hook!r}{hint}")
        own = {kind: manager.subset_hook_caller(f"restore_{kind}", others) for kind in KINDS}
        specs = [spec for kind, hook in own.items() if hook.name in callers for spec in _call(hook, kind)]
    finally:
        manager.unregister(plugin)
    check_collisions(specs)
    return specs


def _call(hook: pluggy.HookCaller, kind: Kind) -> list[Spec]:
    """Return what a hook returns, which one plugin implements."""
    try:
        results = hook()
    except BaseException as error:
        described = str(error) if isinstance(error, InvalidSpec) else describe_error(error)
        raise RegistrationError(f"restore_{kind}: {described}") from error
    return list(check_specs(kind, results[0] if results else None))  # pluggy drops a result that is None


def _wrong_hook(error: pluggy.PluginValidationError) -> str:
    """Return pluggy's message about a wrong argument as one line."""
    lines = str(error).splitlines()
    written = [line.partition(":")[2].strip() for line in lines if line.startswith("hookimpl definition:")]
    if written and any(line.startswith("Argument(s)") for line in lines):
        spec = next((SPECS[kind].__name__ for kind in KINDS if written[0].startswith(f"restore_{kind}(")), "its kind")
        old = "written for an older restorekit: " if "(register" in written[0] else ""
        return f"{old}{written[0]}: a hook takes no argument and returns a list of {spec}"
    return one_line(str(error))


def _summary(plugin: Any) -> str:
    text = getattr(plugin, "__doc__", None)
    lines = text.strip().splitlines() if isinstance(text, str) else []
    return one_line(lines[0]) if lines else ""


def _reason(candidate: Candidate, error: BaseException) -> str:
    if isinstance(error, RegistrationError):
        return one_line(str(error))
    module = candidate.value.partition("[")[0].partition(":")[0].strip()
    if is_missing_module(module, error):
        return (
            f"its entry point names the module {module!r}, which does not exist: "
            f"reinstall or uninstall {candidate.source}"
        )
    return describe_error(error)


def _note(candidate: Candidate, specs: Sequence[Spec], printed: str) -> str:
    if printed.strip():
        return f"printed while it was loaded: {one_line(printed, 100)}"
    if not specs:
        return "provides nothing: no hook of it returns anything"
    provided = {(spec.kind, spec.name) for spec in specs if spec.kind in NAME_GROUPS}
    declared = provided if candidate.names is None else candidate.names
    for what, names in (("do not declare", provided - declared), ("declare", declared - provided)):
        for kind, name in sorted(names):
            but = "" if names <= provided else ", which it does not provide"
            return (
                f"its entry points {what} the {SINGULAR[kind]} {name!r}{but}: correct "
                f'[project.entry-points."{NAME_GROUPS[kind]}"] and install it again'
            )
    return ""
