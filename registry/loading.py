"""Import one plugin and ask it what it provides. Whatever it does, only that plugin suffers."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pluggy

from restore.registry.discovery import Candidate
from restore.registry.hooks import KINDS, HookSpecifications
from restore.registry.naming import close_to, did_you_mean, is_dotted, one_line
from restore.registry.quiet import Quiet
from restore.registry.references import Entry, describe, is_absent, locate
from restore.registry.registration import Refused, Registration

HOOKS = tuple(f"restore_{kind}" for kind in KINDS)


@dataclass(frozen=True)
class Loaded:
    """The outcome of loading one plugin."""

    entries: tuple[Entry, ...]
    """What it provides; nothing if it is broken."""
    summary: str
    """First line of its docstring."""
    problem: str
    """Why it is broken, on one line; empty if it is not."""
    remark: str
    """Something its author should know; empty if there is nothing."""
    load_ms: float
    """How long importing and asking it took, in milliseconds."""


def hook_manager() -> pluggy.PluginManager:
    """A manager that knows the six hooks, for :func:`load`."""
    manager = pluggy.PluginManager("restore")
    manager.add_hookspecs(HookSpecifications)
    return manager


def load(candidate: Candidate, manager: pluggy.PluginManager) -> Loaded:
    """Import a plugin and collect what it registers. Never raises, and leaves ``manager`` as it was.

    An exit or an interrupt that the plugin raises is its problem too: it must not end the tool. (One that the person
    typed at this very moment cannot be told from it.)
    """
    registration = Registration(candidate)
    summary = problem = ""
    began = time.perf_counter()
    with Quiet() as quiet:
        try:
            plugin = _imported(candidate)
            _collect(manager, plugin, candidate.name, registration)
            summary = _summary(plugin)
        except BaseException as error:  # noqa: BLE001  see above
            problem = _reason(candidate, error)
        registration.close()
    return Loaded(
        entries=() if problem else tuple(registration.entries),
        summary=summary,
        problem=problem,
        remark="" if problem else _remark(registration, quiet.text),
        load_ms=(time.perf_counter() - began) * 1000,
    )


def _imported(candidate: Candidate) -> Any:
    if candidate.path:
        return _local(candidate.name, candidate.path)
    reference = candidate.value.partition("[")[0].strip()
    if reference.count(":") > 1 or not all(is_dotted(part) for part in reference.split(":")):
        raise Refused(f"its entry point names no module: {candidate.value!r}")
    return locate(reference)


def _local(name: str, path: Path) -> Any:
    """Import a local module under its own name, so that its references and worker processes find it again."""
    module = path / "__init__.py" if path.is_dir() else path
    if not module.is_file():
        raise Refused(f"there is no {'__init__.py in ' if path.is_dir() else ''}{path}")
    if not path.is_dir() and path.suffix != ".py":
        raise Refused(f"{path} is neither a .py file nor a package folder")
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    found = find_spec(name)
    if found is None or found.origin is None or Path(found.origin).resolve() != module.resolve():
        other = found.origin if found and found.origin else "a package without a file"
        raise Refused(f"the module name {name!r} is taken by {other}; rename {path.name}")
    return import_module(name)


def _collect(manager: pluggy.PluginManager, plugin: Any, name: str, registration: Registration) -> None:
    """Call the plugin's hooks, and no other plugin's."""
    for hook in HOOKS:
        if callable(getattr(plugin, hook, None)) and manager.parse_hookimpl_opts(plugin, hook) is None:
            raise Refused(f"{hook} is not marked with @hookimpl")
    # A plugin that asks the registry for something while it is loaded makes another one load in the middle of this.
    others = [registered for _, registered in manager.list_name_plugin()]
    try:
        manager.register(plugin, name=name)
    except pluggy.PluginValidationError as error:
        raise Refused(_wrong_hook(error)) from error
    try:
        for caller in manager.get_hookcallers(plugin) or ():
            if not caller.has_spec() and not all(found.optionalhook for found in caller.get_hookimpls()):
                # Only the best: all hooks begin alike, so that each of them is close.
                close = close_to(caller.name, HOOKS)[:1]
                raise Refused(f"there is no hook {caller.name!r}{did_you_mean(close)}")
        for kind, hook in zip(KINDS, HOOKS, strict=True):
            manager.subset_hook_caller(hook, others)(register=registration.register(kind))
    finally:
        manager.unregister(plugin)


def _wrong_hook(error: pluggy.PluginValidationError) -> str:
    """pluggy's paragraph about a wrong argument, as one line."""
    lines = str(error).splitlines()
    written = [line.partition(":")[2].strip() for line in lines if line.startswith("hookimpl definition:")]
    if written and any(line.startswith("Argument(s)") for line in lines):
        return f"{written[0]}: a hook has one argument, `register`"
    return one_line(str(error))


def _summary(plugin: Any) -> str:
    text = getattr(plugin, "__doc__", None)
    lines = text.strip().splitlines() if isinstance(text, str) else []
    return one_line(lines[0]) if lines else ""


def _reason(candidate: Candidate, error: BaseException) -> str:
    if isinstance(error, Refused):
        return one_line(str(error))
    module = candidate.value.partition("[")[0].partition(":")[0].strip()
    if is_absent(module, error):
        return (
            f"its entry point names the module {module!r}, which is not there: "
            f"reinstall or uninstall {candidate.source}"
        )
    return describe(error)


def _remark(registration: Registration, printed: str) -> str:
    if printed.strip():
        return f"printed while it was loaded: {one_line(printed, 100)}"
    return "" if registration.entries else "provides nothing: none of its functions is a hook that registers something"
