"""``restore list-plugins``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from restore import registry
from restore.cli.console.paragraphs import wrap
from restore.cli.exit import FAILED, SUCCESS, print_warning

USABLE = ("ready", "local", "disabled")
SLOW = 1000.0
"""Milliseconds of loading from which a plugin is reported as slow."""


def list_plugins(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a plugin cannot be used.")] = False,
) -> None:
    """List the installed plugins, and why any of them cannot be used."""
    plugins = registry.plugins()
    for warning in registry.project().warnings:
        print_warning(warning)
    if as_json:
        typer.echo(json.dumps([plugin_to_dict(plugin) for plugin in plugins], indent=2))
    elif plugins:
        typer.echo("\n".join(_format_plugins(plugins)))
    else:
        typer.echo("No plugins are installed.")
    raise typer.Exit(FAILED if strict and any(plugin.state not in USABLE for plugin in plugins) else SUCCESS)


def plugin_to_dict(plugin: registry.Plugin) -> dict[str, Any]:
    """Return what is known about a plugin, as ``--json`` prints it."""
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": plugin.state,
        "reason": plugin.reason,
        "summary": plugin.summary,
        "provides": {kind: list(plugin.provides.get(kind, ())) for kind in registry.KINDS},
        "load_ms": None if plugin.load_ms is None else round(plugin.load_ms, 1),
    }


def _format_plugins(plugins: list[registry.Plugin]) -> Iterator[str]:
    """Yield a paragraph for each plugin: name, state, origin; then its summary, what it provides, or its error."""
    names = max(len(plugin.name) for plugin in plugins)
    states = max(len(plugin.state) for plugin in plugins)
    indent = " " * (names + states + 4)
    for plugin in plugins:
        color = {"ready": "green", "local": "green", "disabled": "bright_black"}.get(plugin.state, "red")
        source = " ".join(filter(None, [plugin.distribution or str(plugin.path), plugin.version]))
        load_ms = plugin.load_ms or 0.0
        took = f", took {load_ms / 1000:.1f} s to load" if load_ms >= SLOW else ""
        yield f"{plugin.name.ljust(names)}  {typer.style(plugin.state.ljust(states), fg=color)}  {source}{took}"
        provided = "; ".join(f"{kind}: {', '.join(found)}" for kind, found in plugin.provides.items() if found)
        for text in filter(None, (plugin.summary, plugin.reason, provided)):
            yield wrap(text, indent)
