"""``restore show``: describe a plugin, what plugins provide, a run or a weights file."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from restore import registry
from restore.cli.commands.list_plugins import plugin_to_dict
from restore.cli.commands.show_files import about_path, about_weights, path_text, weights_text
from restore.cli.model_ref import needs_training
from restore.cli.printable import printable
from restore.core.errors import RestoreError, UsageError
from restore.registry.naming import did_you_mean


def _complete_name(incomplete: str) -> list[str]:
    return [name for name in list_names() if name.startswith(incomplete) and " " not in name]


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A plugin, or a task, architecture, … of one; a run folder; a weights file.",
            autocompletion=_complete_name,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a task's settings.")] = False,
) -> None:
    """Describe a plugin, a task or anything else of a plugin, a run or a weights file."""
    from restore.core.json_text import dump_json

    plugins, entries = _matches(name)
    if schema:
        typer.echo(json.dumps(_schema(name, entries), indent=2))
    elif plugins or entries:
        about = {"plugins": list(map(plugin_to_dict, plugins)), "entries": list(map(_about_entry, entries))}
        typer.echo(dump_json(about) if as_json else "\n".join(_text(about)))
    elif Path(name).exists():
        described = about_path(Path(name))
        typer.echo(dump_json(described) if as_json else printable("\n".join(path_text(described))))
    else:
        raise UsageError(f"no plugin, task, run or file is called '{name}'{did_you_mean(name, list_names())}")


def list_names() -> list[str]:
    """Return everything that can be shown: plugins, and what they provide by short and by full name."""
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


def _about_entry(entry: registry.Entry) -> dict[str, Any]:
    about: dict[str, Any] = {
        "kind": entry.kind,
        "name": entry.full_name,
        "plugin": entry.plugin,
        "distribution": entry.distribution,
        "summary": entry.summary,
        "reference": entry.reference,
    }
    role = getattr(entry.spec, "role", None)
    if role:
        about |= {"role": role, "contract": registry.ROLES[entry.kind][role]}
    try:
        for detail in ("settings", "predict", "evaluate"):
            if detail in entry.references:
                about[detail] = list(_settings(entry, detail))
        if entry.kind == "tasks":
            about |= _about_task(entry)
        elif entry.kind == "weights":
            about["weights"] = about_weights(Path(entry.load()))
        elif entry.kind == "recipes":
            about |= {"task": entry.spec.task, "file": str(entry.load())}  # type: ignore[attr-defined]
        elif entry.kind != "commands":
            about |= _about_object(entry.load())
    except (registry.RegistryError, RestoreError) as error:
        about["error"] = str(error)
    return about


def _settings(entry: registry.Entry, detail: str) -> Iterator[dict[str, Any]]:
    from pydantic_core import PydanticUndefined, to_jsonable_python

    from restore.cli.settings.flags import Flags
    from restore.cli.settings.task_settings import load_settings_class, plugin_errors
    from restore.cli.settings.types import metavar
    from restore.core.settings import Settings

    with plugin_errors(entry):
        flags = Flags(load_settings_class(entry, detail, Settings))
    for path, setting in flags.settings.items():
        default = None if setting.default is PydanticUndefined else setting.default
        yield {
            "name": setting.name,
            "flags": flags.flags(path),
            "type": "yes|no" if setting.value_type is bool else metavar(setting.value_type),
            "default": to_jsonable_python(default, fallback=str),
            "required": setting.required,
            "help": inspect.cleandoc(setting.info.description or ""),
        }


def _about_task(entry: registry.Entry) -> dict[str, Any]:
    """Return what only the task itself tells: its protocols, and the converters that it imports checkpoints of."""
    about: dict[str, Any] = {"trains": needs_training(entry)}
    if "imports" in entry.references:
        known = entry.locate("imports")
        about["imports"] = {name: str(getattr(base, "summary", "")) for name, base in known.items()}
    task_type = entry.load()
    settings = entry.locate("settings")
    if not any(info.is_required() for info in settings.model_fields.values()):
        protocols = task_type(settings()).protocols()
        about["protocols"] = {
            name: [f"{metric.name} ({metric.convention})" for metric in protocol.values()]
            for name, protocol in protocols.items()
        }
    return about


def _about_object(found: Any) -> dict[str, Any]:
    about = {"help": (inspect.getdoc(found) or "").partition("\n\n")[0].replace("\n", " ")}
    try:
        about["signature"] = str(inspect.signature(found))
    except (TypeError, ValueError):  # not callable, or compiled code
        about["signature"] = ""
    return about


def _schema(name: str, entries: list[registry.Entry]) -> dict[str, Any]:
    from restore.cli.settings.task_settings import load_settings_class, plugin_errors
    from restore.core.settings import Settings

    with_settings = [entry for entry in entries if entry.kind == "tasks"] or [
        entry for entry in entries if "settings" in entry.references
    ]
    if not with_settings:
        raise UsageError(f"--schema: '{name}' is not a task or command, so it has no settings")
    entry = with_settings[0]
    model = load_settings_class(entry, "settings", Settings)
    with plugin_errors(entry):
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
    if "role" in entry:
        yield f"  {entry['role']}: {entry['contract']}"
    yield f"  {entry['reference']}{entry.get('signature', '')}"
    if "file" in entry:
        yield f"  restore train {entry['task']} --config {entry['name']}"
    if "weights" in entry:
        yield from (f"  {line}" for line in weights_text(entry["weights"]))
    for name, metrics in entry.get("protocols", {}).items():
        yield f"  --protocol {name}: {', '.join(metrics)}"
    for name, summary in entry.get("imports", {}).items():
        yield f"  restore import --from {name}: {summary}"
    for detail in ("settings", "predict", "evaluate"):
        if entry.get(detail):
            command = {"settings": "train" if entry["kind"] == "tasks" else ""}.get(detail, detail)
            yield f"  settings of restore {command}:" if command else "  settings:"
            yield from _settings_text(entry[detail])
    if "error" in entry:
        yield f"  error: {entry['error']}"


def _settings_text(settings: list[dict[str, Any]]) -> Iterator[str]:
    from restore.cli.settings.types import format_value

    rows = [
        (f"{s['flags'][0]} {s['type']}", "required" if s["required"] else format_value(s["default"])) for s in settings
    ]
    width = min(50, max(len(row[0]) for row in rows))
    yield from (f"    {left.ljust(width)}  {right}" for left, right in rows)
