"""``restore show``: what a name means, or what a run or a weights file holds."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from restore import registry
from restore.cli.suggestions import did_you_mean
from restore.core.errors import RestoreError, UsageError


def show_name(name: str, *, as_json: bool, schema: bool) -> None:
    """Print about a plugin, what plugins provide under a name, a run or a weights file.

    Raises ``UsageError`` where there is nothing of that name, or no settings whose schema could be printed.
    """
    plugins, entries = _matches(name)
    if schema:
        typer.echo(json.dumps(_schema(name, entries), indent=2))
    elif plugins or entries:
        about = {"plugins": list(map(_about_plugin, plugins)), "entries": list(map(_about_entry, entries))}
        typer.echo(_json(about) if as_json else "\n".join(_text(about)))
    elif Path(name).exists():
        described = _about_weights(Path(name))
        typer.echo(_json(described) if as_json else "\n".join(_weights_text(described)))
    else:
        raise UsageError(
            f"there is no plugin, nothing in one, and no file or folder called '{name}'.{did_you_mean(name, names())}"
        )


def _json(tree: Any) -> str:
    """One object; a number that JSON has no word for (an infinite PSNR) is null."""
    return json.dumps(_finite(tree), indent=2, default=str, allow_nan=False)


def _finite(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _finite(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_finite(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree


def names() -> list[str]:
    """Everything that can be shown: plugins, and what they provide by short and by full name."""
    entries = [entry for kind in registry.KINDS for entry in registry.entries(kind)]
    plugins = [plugin.name for plugin in registry.plugins()]
    return list(dict.fromkeys([*plugins, *(e.name for e in entries), *(e.full_name for e in entries)]))


def _matches(name: str) -> tuple[list[registry.Plugin], list[registry.Entry]]:
    plugins = [plugin for plugin in registry.plugins() if plugin.name == name.replace("-", "_")]
    entries = []
    for kind in registry.KINDS:
        wanted = {name, name.replace("_", "-")} if kind == "tasks" else {name}
        for entry in registry.entries(kind):
            group = entry.name.partition(" ")[0]  # "data" means every command of that group
            if wanted & {entry.name, entry.full_name, group}:
                entries.append(entry)
    return plugins, entries


# --- plugins and what they provide --------------------------------------------------------------------------------


def _about_plugin(plugin: registry.Plugin) -> dict[str, Any]:
    from restore.cli.listing import as_dict

    return as_dict(plugin)


def _about_entry(entry: registry.Entry) -> dict[str, Any]:
    about: dict[str, Any] = {
        "kind": entry.kind,
        "name": entry.full_name,
        "plugin": entry.plugin,
        "distribution": entry.distribution,
        "summary": entry.summary,
        "reference": entry.reference,
    }
    try:
        for detail in ("settings", "predict", "evaluate"):
            if entry.details.get(detail):
                about[detail] = list(_settings(entry, detail))
        if entry.kind == "tasks":
            about |= _about_task(entry)
        elif entry.kind != "commands":
            about |= _about_object(entry.load())
    except (registry.RegistryError, RestoreError) as error:
        about["problem"] = str(error)
    return about


def _settings(entry: registry.Entry, detail: str) -> Iterator[dict[str, Any]]:
    from pydantic_core import PydanticUndefined, to_jsonable_python

    from restore.cli.settings.families import blaming, settings_class
    from restore.cli.settings.flags import Flags
    from restore.cli.settings.kinds import metavar
    from restore.core.settings import Settings

    with blaming(entry):
        flags = Flags(settings_class(entry, detail, Settings))
    for path, setting in flags.settings.items():
        default = None if setting.default is PydanticUndefined else setting.default
        yield {
            "name": setting.name,
            "flags": flags.flags(path),
            "type": "yes|no" if setting.kind is bool else metavar(setting.kind),
            "default": to_jsonable_python(default, fallback=str),
            "required": setting.required,
            "help": inspect.cleandoc(setting.info.description or ""),
        }


def _about_task(entry: registry.Entry) -> dict[str, Any]:
    """What needs the task itself: ways of measuring it, and code bases whose checkpoints it takes."""
    about: dict[str, Any] = {"weights": entry.details.get("weights", True)}
    if entry.details.get("imports"):
        known = entry.locate("imports")
        about["imports"] = {name: str(getattr(base, "summary", "")) for name, base in known.items()}
    task_type = entry.load()
    settings = entry.locate("settings")
    if not any(info.is_required() for info in settings.model_fields.values()):
        protocols = task_type(settings()).protocols()
        about["protocols"] = {
            name: [f"{metric.name} ({metric.convention})" for metric in protocol.metrics.values()]
            for name, protocol in protocols.items()
        }
    return about


def _about_object(found: Any) -> dict[str, Any]:
    about = {"help": (inspect.getdoc(found) or "").partition("\n\n")[0].replace("\n", " ")}
    try:
        about["signature"] = str(inspect.signature(found))
    except (TypeError, ValueError):  # no function, or one of compiled code
        about["signature"] = ""
    return about


def _schema(name: str, entries: list[registry.Entry]) -> dict[str, Any]:
    from restore.cli.settings.families import blaming, settings_class
    from restore.core.settings import Settings

    with_settings = [entry for entry in entries if entry.kind == "tasks"] or [
        entry for entry in entries if entry.details.get("settings")
    ]
    if not with_settings:
        raise UsageError(f"--schema: '{name}' is no task, so it has no settings")
    entry = with_settings[0]
    model = settings_class(entry, "settings", Settings)
    with blaming(entry):
        return dict(model.model_json_schema())


def _text(about: dict[str, Any]) -> Iterator[str]:
    for plugin in about["plugins"]:
        source = " ".join(filter(None, [plugin["distribution"] or "a local module", plugin["version"]]))
        yield f"{plugin['name']}: plugin of {source}, {plugin['state']}"
        yield from (f"  {text}" for text in (plugin["summary"], plugin["reason"]) if text)
        yield from (f"  {kind:<14} {', '.join(found)}" for kind, found in plugin["provides"].items() if found)
        yield ""
    for entry in about["entries"]:
        yield from _entry_text(entry)
        yield ""


def _entry_text(entry: dict[str, Any]) -> Iterator[str]:
    source = f"of {entry['distribution']}" if entry["distribution"] else "from a local module"
    yield f"{entry['name']}: {registry.SINGULAR[entry['kind']]} {source}"
    yield from (f"  {text}" for text in dict.fromkeys([entry["summary"], entry.get("help", "")]) if text)
    yield f"  is {entry['reference']}{entry.get('signature', '')}"
    for name, metrics in entry.get("protocols", {}).items():
        yield f"  --protocol {name}: {', '.join(metrics)}"
    for name, summary in entry.get("imports", {}).items():
        yield f"  restore import --from {name}: {summary}"
    for detail in ("settings", "predict", "evaluate"):
        if entry.get(detail):
            verb = {"settings": "train" if entry["kind"] == "tasks" else ""}.get(detail, detail)
            yield f"  settings of restore {verb}:" if verb else "  settings:"
            yield from _settings_text(entry[detail])
    if "problem" in entry:
        yield f"  problem: {entry['problem']}"


def _settings_text(settings: list[dict[str, Any]]) -> Iterator[str]:
    from restore.cli.settings.kinds import shown

    rows = [(f"{s['flags'][0]} {s['type']}", "required" if s["required"] else shown(s["default"])) for s in settings]
    width = min(50, max(len(row[0]) for row in rows))
    yield from (f"    {left.ljust(width)}  {right}" for left, right in rows)


# --- runs and weights files ---------------------------------------------------------------------------------------


def _about_weights(path: Path) -> dict[str, Any]:
    from dataclasses import asdict

    from restore.core.weights.header import find_weights, read_header

    weights = find_weights(path)
    header = asdict(read_header(weights))
    return {"weights": str(weights), **header, "installed": _is_installed(header["task"]), **_summary(path)}


def _is_installed(task: str) -> bool:
    try:
        registry.entry("tasks", task)
    except registry.RegistryError:
        return False
    return True


def _summary(run: Path) -> dict[str, Any]:
    """Numbers of every phase of a finished run, instead of those of its best weights alone."""
    from restore.core.weights.header import are_numbers

    try:
        summary = json.loads((run / "summary.json").read_text("utf-8"))
        found = {"numbers": summary["metrics"], "seconds": summary["seconds"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a weights file, or a run that is not finished: its header says enough
    return found if are_numbers(found["numbers"]) else {}


def _weights_text(described: dict[str, Any]) -> Iterator[str]:
    from restore.cli.screen.number_lines import table

    installed = "" if described["installed"] else " (not installed here: restore list-plugins)"
    phase = f", phase {described['phase']}" if described["phase"] else ""
    yield f"{described['weights']}: weights of {described['task']}{phase}{installed}"
    if described["model"]:
        yield "  model settings:"
        yield from _flat(described["model"], "    ")
    if described["versions"]:
        yield f"  written by  {', '.join(f'{name} {version}' for name, version in described['versions'].items())}"
    if described["numbers"]:
        yield ""
        numbers = [(n, math.nan if n["value"] is None else float(n["value"])) for n in described["numbers"]]
        rows = [(n["of"], n["name"], n["convention"], value) for n, value in numbers]
        yield from table(rows, "validation")


def _flat(tree: dict[str, Any], indent: str, prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, indent, f"{prefix}{name}.")
        else:
            yield f"{indent}{prefix}{name}: {value}"
