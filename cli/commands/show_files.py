"""What ``restore show`` says about runs and weights files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from restore import registry
from restore.cli.counting import count
from restore.core.errors import UsageError

_LONGEST = 500  # letters of a value out of a file


def about_path(path: Path) -> dict[str, Any]:
    """Describe a weights file, or a run with its weights if it has some yet."""
    if not (path / "config.yaml").is_file():
        return about_weights(path)
    from restore.core.reports.facts import list_changed, list_facts
    from restore.core.runs.record import read_run

    try:
        run = read_run(path)
    except UsageError:  # some settings file that happens to lie beside weights
        return about_weights(path)
    changed = {each["name"]: each["value"] for each in list_changed(run)}
    about = {"run": str(path), "about": dict(list_facts(run)), "changed": changed}
    try:
        return {**about_weights(path), **about}
    except UsageError:
        return {**about, "numbers": run.numbers}


def path_text(described: dict[str, Any]) -> Iterator[str]:
    """Yield the lines about a run or a weights file."""
    if "run" in described:
        width = max(map(len, described["about"]))
        yield f"{described['run']}: a run"
        yield from (f"  {name.ljust(width)}  {value}" for name, value in described["about"].items())
        if described["changed"]:
            yield "  settings that differ from their defaults:"
            yield from _flat(described["changed"], "    ")
    if "weights" in described:
        yield from weights_text(described)
    elif "run" in described:
        yield "  no weights yet: nothing was validated"


def about_weights(path: Path) -> dict[str, Any]:
    """Describe a weights file by its header, and a run by its best weights."""
    from dataclasses import asdict

    from restore.cli.foreign_weights import convert_to_cache, is_foreign
    from restore.core.weights.header import count_parameters, find_weights, read_header

    weights = find_weights(path)
    if is_foreign(weights):
        weights = convert_to_cache(weights)
    header = asdict(read_header(weights))
    return {
        "weights": str(weights),
        "bytes": weights.stat().st_size,
        "parameters": count_parameters(weights),
        **header,
        "installed": _is_installed(header["task"]),
        **_summary(path),
    }


def _is_installed(task: str) -> bool:
    try:
        registry.entry("tasks", task)
    except registry.RegistryError:
        return False
    return True


def _summary(run: Path) -> dict[str, Any]:
    """Return the metrics of every phase of a finished run; the header has only those of its best weights."""
    from restore.core.weights.header import are_numbers

    try:
        summary = json.loads((run / "summary.json").read_text("utf-8"))
        found = {"numbers": summary["metrics"], "seconds": summary["seconds"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a weights file or an unfinished run, for which the header is enough
    return found if are_numbers(found["numbers"]) else {}


def weights_text(described: dict[str, Any]) -> Iterator[str]:
    """Yield the lines about a weights file."""
    from restore.cli.console.tables import Row, format_table
    from restore.core.metrics import describe_coverage

    installed = "" if described["installed"] else " (not installed; see restore list-plugins)"
    phase = f", phase {described['phase']}" if described["phase"] else ""
    yield f"{described['weights']}: weights of {described['task']}{phase}{installed}"
    yield f"  {count(described['parameters'], 'parameter')}, {described['bytes'] / 1e6:,.2f} MB"
    if described["model"]:
        yield "  model settings:"
        yield from _flat(described["model"], "    ")
    if described["card"]:
        yield "  card:"
        yield from _flat(described["card"], "    ")
    if described["versions"]:
        yield f"  written by  {', '.join(f'{name} {version}' for name, version in described['versions'].items())}"
    if described["plugins"]:
        needs = (
            f"{plugin} ({requirement or 'a local module'})" for plugin, requirement in described["plugins"].items()
        )
        yield f"  needs       {', '.join(needs)}"
    if described["numbers"]:
        yield ""
        numbers = [(n, math.nan if n["value"] is None else float(n["value"])) for n in described["numbers"]]
        rows = [
            Row(n["of"], n["name"], n["convention"], value, describe_coverage(n.get("images"), n.get("left_out") or 0))
            for n, value in numbers
        ]
        yield from format_table(rows, "validation")


def _flat(tree: dict[str, Any], indent: str, prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, indent, f"{prefix}{name}.")
        else:
            text = str(value)
            yield f"{indent}{prefix}{name}: {text if len(text) <= _LONGEST else f'{text[:_LONGEST]}…'}"
