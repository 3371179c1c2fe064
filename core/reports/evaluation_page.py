"""The page of an evaluation: the table, how certain it is, and the images, the worst first. Imports no torch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from restore.core.metrics import describe_coverage
from restore.core.reports.curves import to_number
from restore.core.reports.facts import flatten, format_value
from restore.core.reports.report_page import fill, make_page
from restore.core.reports.samples import BUDGET

ROWS = 1000
"""Most images in the table of single images."""

_NONE = format_value(None)


@dataclass(frozen=True)
class EvaluatedSet:
    """The images of one folder."""

    title: str
    numbers: Mapping[str, Any]
    """What ``evaluate --json`` prints of it."""
    ranked: Sequence[str]
    """The names of the images, the worst of the first model first."""
    drawn: Mapping[str, Mapping[str, Sequence[str]]]
    """For each model, the worst images as addresses: input, output, and others such as the target."""


def render_evaluation(sets: Sequence[EvaluatedSet]) -> str:
    """Return the page. Equal numbers and images give equal bytes."""
    models = list(dict.fromkeys(metric["of"] for each in sets for metric in each.numbers["metrics"]))
    body = fill("evaluation.html", title=f"Evaluation of {', '.join(models)}", sets=_describe(sets))
    return make_page(f"Evaluation of {', '.join(models)}", body, {"sets": [each.numbers for each in sets]})


def _describe(sets: Sequence[EvaluatedSet]) -> list[dict[str, Any]]:
    used, described = 0, []
    for each in sets:
        worst, used = _worst(each, used)
        described.append(
            {
                "title": each.title,
                "images": each.numbers["images"],
                **_table(each),
                "differences": [_difference(row) for row in each.numbers["differences"]],
                "certainty": each.numbers["certainty"],
                "notes": each.numbers["notes"],
                "worst": worst,
                "by": _heading(each.numbers["metrics"][0]),
                "single": _single(each),
                "left_out": max(0, len(each.ranked) - ROWS),
                "provenance": [(name, _show(value)) for name, value in _provenance(each).items() if value is not None],
            }
        )
    return described


def _heading(metric: Mapping[str, Any]) -> str:
    return f"{metric['name']} ({metric['convention']})"


def _table(each: EvaluatedSet) -> dict[str, Any]:
    """Return the metrics by model, each with what stands below it: how many images it is of, and its interval."""
    metrics = each.numbers["metrics"]
    columns = list(dict.fromkeys(map(_heading, metrics)))
    intervals = {
        (row["of"], _heading(row)): f"{row['low']:.4f} to {row['high']:.4f}" for row in each.numbers["intervals"]
    }
    found: dict[str, dict[str, tuple[str, list[str]]]] = {}
    for metric in metrics:
        of, column = metric["of"], _heading(metric)
        below = [
            describe_coverage(metric.get("images"), metric.get("left_out", 0)).strip(),
            intervals.get((of, column), ""),
        ]
        found.setdefault(of, {})[column] = _format(metric), list(filter(None, below))
    empty: tuple[str, list[str]] = _NONE, []
    return {"columns": columns, "rows": [(of, [own.get(c, empty) for c in columns]) for of, own in found.items()]}


def _format(measured: Mapping[str, Any]) -> str:
    """Return a value of the JSON object as text, or why there is none."""
    value = to_number(measured["value"])
    if math.isfinite(value):
        return format_value(value)
    return {"infinite": "infinite", "too small": "images too small"}.get(measured.get("state", ""), _NONE)


def _difference(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    what = f"{_heading(row)} of {row['of']} minus {row['minus']}"
    return what, f"{row['value']:+.4f}", f"{row['low']:+.4f} to {row['high']:+.4f}", f"{row['p']:.2g}"


def _values(each: EvaluatedSet) -> dict[str, dict[tuple[str, str], str]]:
    found: dict[str, dict[tuple[str, str], str]] = {}
    for row in each.numbers["per_image"]:
        found.setdefault(str(row["image"]), {})[row["of"], _heading(row)] = _format(row)
    return found


def _worst(each: EvaluatedSet, used: int) -> tuple[list[dict[str, Any]], int]:
    """Return the worst images with their values, as many as fit into the budget of the page."""
    values, shown = _values(each), []
    for name in each.ranked:
        images = {model: drawn[name] for model, drawn in each.drawn.items() if name in drawn}
        if not images:
            continue
        first = next(iter(images.values()))
        strip = [("input", first[0])] + [(model, drawn[1]) for model, drawn in images.items() if len(drawn) > 1]
        strip += [("target" if place == len(first) - 1 else "", first[place]) for place in range(2, len(first))]
        used += 3 * len(first[0]) + sum(len(address) for _, address in strip)
        if used > BUDGET:
            break
        told = [f"{heading} of {of} {value}" for (of, heading), value in values.get(name, {}).items()]
        shown.append(
            {"name": name, "before": first[0], "after": strip[min(1, len(strip) - 1)], "strip": strip, "told": told}
        )
    return shown, used


def _single(each: EvaluatedSet) -> dict[str, Any]:
    values = _values(each)
    columns = list(dict.fromkeys(key for row in values.values() for key in row))
    rows = [(name, [values.get(name, {}).get(key, _NONE) for key in columns]) for name in each.ranked[:ROWS]]
    return {"columns": [f"{heading} of {of}" for of, heading in columns], "rows": rows}


def _provenance(each: EvaluatedSet) -> dict[str, Any]:
    told = dict(each.numbers["provenance"])
    models = {f"model {model['of']}": model for model in told.pop("models")}
    return flatten({**told, **models})


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
