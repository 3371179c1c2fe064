"""``restore recipes``: list the settings of runs that plugins publish, or print one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from restore import registry
from restore.cli.model_ref import name_entries
from restore.core.errors import UsageError
from restore.registry.naming import did_you_mean


def _complete_name(incomplete: str) -> list[str]:
    return [name for name, _ in name_entries(registry.entries("recipes")) if name.startswith(incomplete)]


def recipes(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Print this recipe.", autocompletion=_complete_name),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the settings of runs that restore and its plugins publish; with a name, print them.

    "restore train TASK --config NAME" trains with them; flags win over them. "restore recipes NAME > mine.yaml" copies
    one.
    """
    from restore.core.json_text import dump_json

    found = [_describe(shown, entry) for shown, entry in _list_named()]
    if name is not None:
        typer.echo(_find(name).read_text("utf-8"), nl=False)
    elif as_json:
        typer.echo(dump_json(found))
    elif not found:
        typer.echo("No installed plugin publishes a recipe.")
    else:
        for each in found:
            typer.echo(f"{each['name']}: {each['summary']}")
            typer.echo(f"    restore train {each['train']} --config {each['name']}")


def _list_named() -> list[tuple[str, registry.Entry]]:
    entries = registry.entries("recipes")
    return [(name, entry) for (name, _), entry in zip(name_entries(entries), entries, strict=True)]


def _describe(name: str, entry: registry.Entry) -> dict[str, Any]:
    assert isinstance(entry.spec, registry.RecipeSpec)
    task = entry.spec.task
    try:
        train = next(short for short, _ in name_entries([registry.entry("tasks", task)]))
    except registry.RegistryError:
        train = task  # its plugin cannot be used; training says why
    return {"name": name, "task": task, "train": train, "summary": entry.summary, "file": str(entry.load())}


def _find(name: str) -> Path:
    try:
        return Path(registry.entry("recipes", name).load())
    except registry.UnknownName as error:
        known = [shown for shown, _ in _list_named()]
        raise UsageError(
            f"no recipe is called '{name}'{did_you_mean(name, known)}; 'restore recipes' lists them"
            f"{error.unusable and chr(10) + error.unusable}"
        ) from None
