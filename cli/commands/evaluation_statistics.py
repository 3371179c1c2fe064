"""How certain the numbers of an evaluation are, and how several models compare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

from restore.cli.console.tables import format_heading

if TYPE_CHECKING:
    from torch import Tensor

    from restore.core.reduction import Evaluation


def explain_unequal(measured: Sequence[Evaluation]) -> list[str]:
    """Return, for each metric whose values leave out different images of two models, the values of those that count."""
    by_metric: dict[tuple[str, str], list[tuple[Evaluation, int]]] = {}
    for each in measured:
        for place, number in enumerate(each.numbers):
            by_metric.setdefault((number.name, number.convention), []).append((each, place))
    notes = []
    for column, found in by_metric.items():
        counting = [_list_counting(each, column) for each, _ in found]
        shared = set(counting[0]).intersection(*counting)
        if not shared or all(set(names) == shared for names in counting):
            continue
        values = []
        for each, place in found:
            wanted = [index for index, name in enumerate(_list_images(each)) if name in shared]
            value = each.metrics[place].reduce(each.statistics[place][wanted])
            values.append(f"{each.numbers[place].of} {value:.4f}")
        total = len(_list_images(found[0][0]))
        notes.append(
            f"{format_heading(column)} leaves out different images of each model, so compare the values over the "
            f"{len(shared)} of {total} images that count for all: {', '.join(values)}"
        )
    return notes


def _list_counting(measured: Evaluation, column: tuple[str, str]) -> list[str]:
    """Return the images with a finite value of a metric."""
    return [
        str(row["image"])
        for row in measured.per_image
        if (row["name"], row["convention"]) == column and math.isfinite(row["value"])
    ]


def list_intervals(measured: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return the bootstrap interval of each number; numbers of fewer than two finite images have none."""
    from restore.core.bootstrap import bootstrap_interval

    found = []
    for each in measured:
        for number, metric, rows in zip(each.numbers, each.metrics, each.statistics, strict=True):
            interval = bootstrap_interval(metric, rows)
            if interval is not None:
                named = {"name": number.name, "convention": number.convention, "of": number.of}
                found.append({**named, **asdict(interval)})
    return found


def list_differences(measured: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return the difference of each two models by each metric that both have, if they have measured the same images."""
    from restore.core.bootstrap import compare_paired

    found = []
    for one, other in combinations(measured, 2):
        others = {
            (number.name, number.convention): (number.of, rows)
            for number, rows in zip(other.numbers, other.statistics, strict=True)
        }
        for number, metric, rows in zip(one.numbers, one.metrics, one.statistics, strict=True):
            minus, theirs = others.get((number.name, number.convention), ("", None))
            if theirs is None:
                continue
            difference = compare_paired(metric, *_pair(rows, _list_images(one), theirs, _list_images(other)))
            if difference is not None:
                named = {"name": number.name, "convention": number.convention, "of": number.of, "minus": minus}
                found.append({**named, "value": difference.value, **asdict(difference.interval), "p": difference.p})
    return found


def _list_images(measured: Evaluation) -> list[str]:
    """Return the names of the images in the order of the rows of statistics."""
    first = measured.per_image[0]
    key = (first["name"], first["convention"])
    return [str(row["image"]) for row in measured.per_image if (row["name"], row["convention"]) == key]


def _pair(rows: Tensor, names: list[str], others: Tensor, other_names: list[str]) -> tuple[Tensor, Tensor]:
    """Return the rows of the images that both have measured: one of them may have failed on some."""
    if names == other_names:
        return rows, others
    places = {name: index for index, name in enumerate(other_names)}
    shared = [(index, places[name]) for index, name in enumerate(names) if name in places]
    return rows[[index for index, _ in shared]], others[[place for _, place in shared]]
