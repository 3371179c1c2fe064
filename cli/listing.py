"""``restore list-plugins``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import typer

from restore import registry
from restore.cli.outcome import DONE, FAILED, complain
from restore.cli.screen.paragraphs import paragraph

USABLE = ("ready", "local", "disabled")
SLOW = 1000.0
"""Milliseconds of loading beyond which a plugin is slow for everybody."""


def list_all(*, as_json: bool, strict: bool) -> int:
    """Print every plugin; the exit status is 1 only if ``strict`` and one of them cannot be used."""
    plugins = registry.plugins()
    for warning in registry.project().warnings:
        complain(warning, prefix="Warning: ")
    if as_json:
        typer.echo(json.dumps([as_dict(plugin) for plugin in plugins], indent=2))
    elif plugins:
        typer.echo("\n".join(_lines(plugins)))
    else:
        typer.echo("No plugin is installed.")
    return FAILED if strict and any(plugin.state not in USABLE for plugin in plugins) else DONE


def as_dict(plugin: registry.Plugin) -> dict[str, Any]:
    """What is known of a plugin, as ``--json`` prints it."""
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


def _lines(plugins: list[registry.Plugin]) -> Iterator[str]:
    """One paragraph a plugin: name, state, origin; then what it says, provides, or why it cannot be used."""
    names = max(len(plugin.name) for plugin in plugins)
    states = max(len(plugin.state) for plugin in plugins)
    indent = " " * (names + states + 4)
    for plugin in plugins:
        state = typer.style(plugin.state.ljust(states), fg=_colour(plugin.state))
        source = " ".join(filter(None, [plugin.distribution or str(plugin.path), plugin.version]))
        yield f"{plugin.name.ljust(names)}  {state}  {source}{_slow(plugin)}"
        provided = "; ".join(f"{kind}: {', '.join(found)}" for kind, found in plugin.provides.items() if found)
        for text in (plugin.summary, plugin.reason, provided):
            if text:
                yield paragraph(text, indent)


def _slow(plugin: registry.Plugin) -> str:
    if plugin.load_ms is None or plugin.load_ms < SLOW:
        return ""
    return f", took {plugin.load_ms / 1000:.1f} s to load"


def _colour(state: str) -> str:
    return {"ready": "green", "local": "green", "disabled": "bright_black"}.get(state, "red")
