"""Import one plugin and collect what it provides. An error affects only that plugin."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pluggy

from restore.registry.capture_output import capture_output
from restore.registry.discovery import Candidate
from restore.registry.hooks import KINDS, HookSpecifications
from restore.registry.naming import close_matches, did_you_mean, is_dotted, one_line
from restore.registry.references import Entry, describe_error, is_missing_module, resolve_reference
from restore.registry.registration import Registration, RegistrationError

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
    """Return a manager with the specifications of all hooks, for :func:`load`."""
    manager = pluggy.PluginManager("restore")
    manager.add_hookspecs(HookSpecifications)
    return manager


def load(candidate: Candidate, manager: pluggy.PluginManager) -> Loaded:
    """Import a plugin and collect what it registers. Never raises, and leaves ``manager`` unchanged.

    SystemExit and KeyboardInterrupt raised by the plugin are errors of the plugin too and do not end the tool. (A
    Ctrl-C typed at this very moment looks the same.)
    """
    registration = Registration(candidate)
    summary = failure = ""
    began = time.perf_counter()
    with capture_output() as captured:
        try:
            plugin = _import(candidate)
            summary = _summary(plugin)
            _collect(manager, plugin, candidate.name, registration)
        except BaseException as error:  # noqa: BLE001 - see above
            failure = _reason(candidate, error)
        registration.close()
    return Loaded(
        entries=() if failure else tuple(registration.entries),
        summary=summary,
        error=failure,
        note="" if failure else _note(registration, captured()),
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


def _collect(manager: pluggy.PluginManager, plugin: Any, name: str, registration: Registration) -> None:
    """Call the hooks of this plugin only."""
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
        for caller in manager.get_hookcallers(plugin) or ():
            if not caller.has_spec() and not all(found.optionalhook for found in caller.get_hookimpls()):
                # Only the best match: all hooks begin alike, so each of them is close.
                hint = did_you_mean(close=close_matches(caller.name, HOOKS)[:1])
                raise RegistrationError(f"no such hook: {caller.name!r}{hint}")
        for kind, hook in zip(KINDS, HOOKS, strict=True):
            manager.subset_hook_caller(hook, others)(register=registration.register(kind))
    finally:
        manager.unregister(plugin)


def _wrong_hook(error: pluggy.PluginValidationError) -> str:
    """Return pluggy's message about a wrong argument as one line."""
    lines = str(error).splitlines()
    written = [line.partition(":")[2].strip() for line in lines if line.startswith("hookimpl definition:")]
    if written and any(line.startswith("Argument(s)") for line in lines):
        return f"{written[0]}: a hook takes one argument, `register`"
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


def _note(registration: Registration, printed: str) -> str:
    if printed.strip():
        return f"printed while it was loaded: {one_line(printed, 100)}"
    return "" if registration.entries else "provides nothing: no hook of it registers anything"
