"""What a report says in words and tables: results, settings, versions, speed, and how to repeat the run."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore.core.hashing import hash_file
from restore.core.reports.curves import list_columns
from restore.core.runs.folder import RunFolder
from restore.core.runs.record import RunRecord

WAITING = 0.2
"""Share of the time spent waiting for data from which a report gives advice."""

VERSIONS = ("restorekit", "torch", "torchvision", "accelerate", "numpy", "pillow", "scikit-image", "python")
"""What a report says the versions of."""


@dataclass(frozen=True)
class ResultTable:
    """The headline numbers: a row for each baseline and phase, a column for each metric."""

    columns: Sequence[str]
    """``psnr (8-bit Y, border 4)``."""
    rows: Sequence[tuple[str, str, Sequence[str]]]
    """Owner, ``baseline`` or ``phase``, and the values as text."""
    gains: Sequence[tuple[str, str]]
    """For each column the gain of the last phase over the best baseline as text, and ``good``, ``bad`` or nothing."""


def tabulate_results(run: RunRecord) -> ResultTable:
    """Return the headline numbers of a run."""
    columns = list_columns(run.numbers)
    rows: dict[str, dict[tuple[str, str], str]] = {}
    for value in run.numbers:
        rows.setdefault(value.of, {})[value.column] = format_value(value.value) + value.coverage
    kinds = {owner: "phase" if owner in run.phases else "baseline" for owner in rows}
    none = format_value(None)
    shown = [(owner, kinds[owner], [known.get(c, none) for c in columns]) for owner, known in rows.items()]
    has_both = {"phase", "baseline"} <= set(kinds.values())
    gains = [_gain(run, column) for column in columns] if has_both else []
    return ResultTable([f"{name} ({convention})" for name, convention in columns], shown, gains)


def _gain(run: RunRecord, column: tuple[str, str]) -> tuple[str, str]:
    better = run.find_direction(column)
    before = [v.value for v in run.baselines if v.column == column and math.isfinite(v.value)]
    now = [v.value for v in run.best if v.column == column and math.isfinite(v.value)]
    left_out = {v.left_out for v in (*run.baselines, *run.best) if v.column == column}
    if better is None or not before or not now or len(left_out) > 1:  # values of different images have no difference
        return "", ""
    gain = now[0] - (max(before) if better == "higher" else min(before))
    won = gain > 0 if better == "higher" else gain < 0
    return f"{gain:+.4f}", "good" if won else "bad" if gain else ""


def format_value(value: float | None) -> str:
    """Return a measured value as everywhere: four places; a dash if there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


def list_changed(run: RunRecord) -> list[dict[str, Any]]:
    """Return the settings that differ from their defaults, each with ``origin``; those of a resume come last."""
    found: list[dict[str, Any]] = []
    for index, start in enumerate(run.starts):
        for changed in start.get("changed", ()):
            origin = "set" if changed["given"] else "decided when the run started"
            if index:
                origin = f"changed by a resume after step {start['resumed_at']}"
            found.append({**changed, "origin": origin})
    return found


def show_setting(value: Any) -> str:
    """Return the value of a setting as a person writes it."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        return " ".join(map(str, value)) or "none"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return every setting by its dotted name."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            found |= flatten(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


@dataclass(frozen=True)
class Repetition:
    """How to make a run again."""

    command: str
    """One line for a shell."""
    needs: Sequence[str]
    """What has to be there: distributions and data."""


def describe_repetition(run: RunRecord) -> Repetition:
    """Return the command that repeats a run, with every setting that is not a default."""
    plugin, _, task = run.task.partition("/")
    name = task if plugin == task.replace("-", "_") else run.task
    processes = run.starts[0]["processes"] if run.starts else 1
    words = ["restore", "train", name]
    if run.starts:
        words += [word for changed in list_changed(run) for word in changed["words"]]
    else:
        words += ["--config", f"{run.name}/config.yaml"]
    words += ["--num-processes", str(processes)] if processes > 1 else []
    return Repetition(shlex.join(words), list(_needs(run)))


def _needs(run: RunRecord) -> list[str]:
    plugins = run.plugins
    wanted = sorted({each for each in plugins.values() if each})
    needs = [f"pip install {' '.join(map(shlex.quote, wanted))}"] if wanted else []
    local = [name for name, each in plugins.items() if not each]
    needs += [f"the local plugin {name}" for name in local]
    data = run.starts[0].get("data", {}) if run.starts else {}
    for name, digest in data.items():
        needs.append(f"the data of --{name.replace('_', '-')}: {flatten(run.settings).get(name)}, hash {digest}")
    if not data:
        needs.append("no data of your own: the built-in sample" if not run.settings.get("data") else "the same data")
    resumed = [start for start in run.starts[1:] if start.get("changed")]
    if resumed:
        needs.append("a resume changed settings; the run from one piece need not give the same numbers")
    if run.about.get("device", "cpu") != "cpu" and not run.settings.get("deterministic"):
        needs.append("the same numbers need --deterministic on a GPU; without it they differ in the last digits")
    return needs


def list_facts(run: RunRecord) -> list[tuple[str, str]]:
    """Return what else is worth knowing, as names and values."""
    about, start = run.about, run.starts[-1] if run.starts else {}
    facts = [
        ("task", run.task),
        ("state", run.state + (f": {run.ending}" if run.ending else "")),
        ("begun", " and resumed ".join(str(each["at"]) for each in run.starts)),
        ("epochs", f"{run.epochs} of {run.settings.get('epochs')}"),
        ("seed", str(run.settings.get("seed"))),
        ("data", str(run.settings.get("data") or "the built-in sample")),
        *((f"hash of {name}", str(digest)) for name, digest in start.get("data", {}).items()),
        ("images", _images(start)),
        ("device", f"{about.get('device')}, {run.settings.get('precision')}"),
        ("processes", str(start.get("processes", "")) if start.get("processes", 1) > 1 else ""),
        ("parameters", ", ".join(f"{name} {count:,}" for name, count in start.get("parameters", {}).items())),
        ("begins with", str(start.get("begins_with") or "")),
        ("training time", _duration(run.seconds)),
        *_speed(run),
        *((name, str(about[name])) for name in VERSIONS if about.get(name)),
        ("platform", str(about.get("platform") or "")),
        ("git revision", str(about.get("git") or "")),
        ("SHA-256 of best.safetensors", _hash(RunFolder(run.path).best)),
    ]  # fmt: skip
    return [(name, value) for name, value in facts if value]


def _images(start: Mapping[str, Any]) -> str:
    if "train_images" not in start:
        return ""
    return f"{start['train_images']} for training, {start['validation_images']} for validation"


def _speed(run: RunRecord) -> list[tuple[str, str]]:
    if run.speed is None:
        return []
    rate, waiting = run.speed
    advice = "; more loading processes may help: --workers" if waiting > WAITING else ""
    return [("speed", f"{rate:.1f} images/s"), ("waiting for data", f"{waiting:.1%} of the steps' time{advice}")]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if not minutes and not hours:
        return f"{seconds:.1f} s"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _hash(path: Path) -> str:
    try:
        return hash_file(path)
    except OSError:
        return ""
