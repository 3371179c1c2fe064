"""The curves of a run: validation, losses, learning rates, the balance of generator and discriminator."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from restore.core.pages.axes import format_number
from restore.core.pages.charts import Band, Chart, Level, Line, Mark, Point
from restore.core.runs.record import RunRecord, Value

POINTS = 300
"""Most points of a line; each is then the mean of several lines of the log."""
PLACE = frozenset({"kind", "phase", "epoch", "step", "seconds"})
"""Keys of a log line that are no numbers of the training."""
_OF_DISCRIMINATOR = re.compile(r"^(d|score)_")
"""Numbers that tasks log about what the discriminator believes."""


@dataclass(frozen=True)
class Curves:
    """Charts under one heading."""

    heading: str
    charts: Sequence[Chart]


def list_curves(run: RunRecord) -> list[Curves]:
    """Return the charts of a run, those of validation first; groups without charts are left out."""
    training = _TrainingCurves(run)
    found = [
        Curves("Validation", list(_validation(run))),
        Curves("Training losses", training.losses()),
        Curves("Balance of generator and discriminator", training.balance()),
        Curves("Learning rates and gradients", training.optimizers()),
        Curves("Other measures of training", training.others()),
    ]
    return [each for each in found if each.charts]


def thin(points: Sequence[Point], most: int = POINTS) -> list[Point]:
    """Return at most so many points; each is the mean of its neighbors, at the place of the last of them."""
    every = -(-len(points) // most) or 1
    if every == 1:
        return list(points)
    groups = [points[start : start + every] for start in range(0, len(points), every)]
    return [(group[-1][0], _mean([y for _, y in group])) for group in groups]


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan


def list_columns(values: Iterable[Value]) -> list[tuple[str, str]]:
    """Return metrics with their conventions, in order of appearance."""
    return list(dict.fromkeys(value.column for value in values))


def metric_points(run: RunRecord, column: tuple[str, str]) -> list[Point]:
    """Return the values of a metric by epoch, from 1."""
    return [
        (line["epoch"] + 1, to_number(metric["value"]))
        for line in run.evaluations
        for metric in line["metrics"]
        if (metric["name"], metric["convention"]) == column
    ]


def list_evaluated_columns(run: RunRecord) -> list[tuple[str, str]]:
    """Return the metrics that a run was validated with."""
    named = ((metric["name"], metric["convention"]) for line in run.evaluations for metric in line["metrics"])
    return list(dict.fromkeys(named))


def to_number(value: Any) -> float:
    """Return a number of the log, where null stands for one that is not finite."""
    return float(value) if isinstance(value, int | float) else math.nan


def _validation(run: RunRecord) -> Iterator[Chart]:
    bands = _bands(run.evaluations, lambda line: float(line["epoch"] + 1))
    for column in list_evaluated_columns(run):
        points = metric_points(run, column)
        if not any(math.isfinite(value) for _, value in points):
            continue  # the images are too small for this metric
        baselines = [value for value in run.baselines if value.column == column and math.isfinite(value.value)]
        levels = [Level(value.of, value.value) for value in baselines]
        yield Chart(
            title=f"{column[0]} ({column[1]})",
            lines=[Line(column[0], thin(points))],
            x_label="epoch",
            levels=levels,
            bands=bands,
            marks=list(_best_marks(run, column)),
        )


def _best_marks(run: RunRecord, column: tuple[str, str]) -> Iterator[Mark]:
    """Yield a mark where each phase had its best weights, which the run keeps."""
    best = {line["phase"]: line for line in run.evaluations if line["best"]}
    for phase, line in best.items():
        for metric in line["metrics"]:
            if (metric["name"], metric["convention"]) == column:
                value, epoch = to_number(metric["value"]), line["epoch"] + 1
                if not math.isfinite(value):
                    continue
                yield Mark(epoch, value, f"best weights of {phase}: epoch {epoch}, {format_number(value)}")


def _bands(lines: Sequence[Mapping[str, Any]], place: Any) -> list[Band]:
    """Return the phases along an axis; each begins where the one before ends."""
    ends: dict[str, float] = {}
    for line in lines:
        ends[str(line["phase"])] = place(line)
    if len(ends) < 2:
        return []
    starts = [place(lines[0]), *list(ends.values())[:-1]]
    return [Band(name, start, end) for (name, end), start in zip(ends.items(), starts, strict=True)]


class _TrainingCurves:
    """The numbers of the log by their kind."""

    def __init__(self, run: RunRecord) -> None:
        self.bands = _bands(run.training, lambda line: float(line["step"]))
        self.points: dict[str, list[Point]] = {}
        for line in run.training:
            for name, value in line.items():
                if name not in PLACE:
                    self.points.setdefault(name, []).append((float(line["step"]), to_number(value)))

    def losses(self) -> list[Chart]:
        """Return a chart for each optimizer, with its terms."""
        owners: dict[str, list[str]] = {}
        for name in self.points:
            owner, slash, term = name.partition("/")
            if slash and term not in ("lr", "gradient"):
                owners.setdefault(owner, []).append(name)
        return [self._chart(f"losses of {owner}", names, f"{owner}/") for owner, names in owners.items()]

    def balance(self) -> list[Chart]:
        """Return what the discriminator believes of real and of generated images."""
        names = [name for name in self.points if _OF_DISCRIMINATOR.match(name)]
        return [self._chart("what the discriminator says", names, logarithmic=False)] if names else []

    def optimizers(self) -> list[Chart]:
        """Return the learning rates and the norms of the gradients."""
        kinds = {"lr": "learning rates", "gradient": "norms of the gradients"}
        found = []
        for ending, title in kinds.items():
            if names := [name for name in self.points if name.endswith(f"/{ending}")]:
                found.append(self._chart(title, names))
        return found

    def others(self) -> list[Chart]:
        """Return a chart for each of the other numbers: their units differ."""
        names = [name for name in self.points if "/" not in name and not _OF_DISCRIMINATOR.match(name)]
        return [self._chart(name, [name]) for name in names]

    def _chart(self, title: str, names: Sequence[str], prefix: str = "", logarithmic: bool | None = None) -> Chart:
        lines = [Line(name.removeprefix(prefix), thin(self.points[name])) for name in names]
        return Chart(title=title, lines=lines, bands=self.bands, logarithmic=logarithmic)
