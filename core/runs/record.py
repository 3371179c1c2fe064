"""A run as its folder tells it: settings, log, history and results, read without torch."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from restore.core.errors import UsageError
from restore.core.metrics import describe_coverage
from restore.core.runs.folder import RUN_KEY, RunFolder, read_yaml
from restore.core.runs.history import read_history, read_json_lines
from restore.core.runs.lock import is_locked

State = Literal["running", "finished", "stopped"]
ENDS = ("finished", "interrupted", "failed")


@dataclass(frozen=True)
class Value:
    """A measured number of a run."""

    name: str
    convention: str
    of: str
    value: float
    """NaN if it is not finite: JSON has no such numbers."""
    images: int | None = None
    """How many images were measured, if known."""
    left_out: int = 0
    """How many of them do not count in the value."""

    @property
    def coverage(self) -> str:
        """What follows the value if it is not that of all images."""
        return describe_coverage(self.images, self.left_out)

    @property
    def column(self) -> tuple[str, str]:
        """Metric and convention."""
        return self.name, self.convention


@dataclass(frozen=True)
class RunRecord:
    """What is known of a run."""

    path: Path
    task: str
    """Full name of the task."""
    settings: Mapping[str, Any]
    """Every setting, in the form of ``config.yaml``."""
    about: Mapping[str, Any]
    """Versions, device and plugins."""
    training: list[dict[str, Any]]
    """Lines of the log about training."""
    evaluations: list[dict[str, Any]]
    """Lines of the log about validation."""
    history: list[dict[str, Any]]
    """Lines of the history; empty for a run of an older version."""
    summary: Mapping[str, Any]
    """The summary; empty before the run is finished."""

    @property
    def name(self) -> str:
        """Name of the run folder."""
        return self.path.resolve().name

    @property
    def plugins(self) -> Mapping[str, str | None]:
        """The requirement of every plugin that the run needs, as far as its config says."""
        plugins = self.about.get("plugins")
        return (
            {str(name): None if need is None else str(need) for name, need in plugins.items()}
            if isinstance(plugins, Mapping)
            else {}
        )

    @property
    def starts(self) -> list[dict[str, Any]]:
        """The lines of the history about the start and each resume."""
        return [line for line in self.history if line["kind"] == "started"]

    @property
    def begun(self) -> str:
        """When it started first, in ISO 8601; empty if its history does not say."""
        return str(self.starts[0]["at"]) if self.starts else ""

    @property
    def end(self) -> Mapping[str, Any]:
        """How the run ended last; empty if it goes on, was killed, or has no history."""
        happened = [line for line in self.history if line["kind"] in (*ENDS, "started")]
        return happened[-1] if happened and happened[-1]["kind"] in ENDS else {}

    @property
    def state(self) -> State:
        """Whether the run goes on, is finished, or stopped before its end."""
        if self.end:
            return "finished" if self.end["kind"] == "finished" else "stopped"
        if is_locked(self.path):
            return "running"
        return "finished" if self.summary and not self.history else "stopped"

    @property
    def ending(self) -> str:
        """Why a stopped run stopped; empty for others."""
        if self.state != "stopped":
            return ""
        if not self.end:
            return "killed, or ended by the machine" if self.history else "without a summary"
        return str(self.end.get("error") or "interrupted")

    @property
    def sheets(self) -> list[Path]:
        """The sheets of samples, oldest first."""
        return sorted(RunFolder(self.path).samples.glob("epoch-*.png"))

    @property
    def warnings(self) -> list[str]:
        """The warnings of the run, each once."""
        return list(dict.fromkeys(str(line["message"]) for line in self.history if line["kind"] == "warning"))

    @property
    def seconds(self) -> float:
        """Training time in seconds, as far as it is known."""
        known = [line["seconds"]["run"] for line in self.training[-1:]]
        known += [found.get("seconds") for found in (self.end, self.summary if self.state == "finished" else {})]
        return max((float(each) for each in known if isinstance(each, int | float)), default=0.0)

    @property
    def epochs(self) -> int:
        """Epochs that were begun and logged, or evaluated."""
        lines = [*self.training[-1:], *self.evaluations[-1:]]
        return max((int(line["epoch"]) + 1 for line in lines), default=0)

    @property
    def phases(self) -> list[str]:
        """The phases so far, in order."""
        return list(dict.fromkeys(str(line["phase"]) for line in (*self.training, *self.evaluations)))

    @cached_property
    def numbers(self) -> list[Value]:
        """Metrics of the baselines, and of the best weights of each phase."""
        if self.state == "finished" and self.summary.get("metrics"):
            return list(_values(self.summary["metrics"]))
        found = [value for line in self.history if line["kind"] == "baseline" for value in _values(line["metrics"])]
        best = {line["phase"]: line for line in self.evaluations if line["best"]}
        return found + [value for line in best.values() for value in _values(line["metrics"])]

    @property
    def baselines(self) -> list[Value]:
        """Metrics of the baselines."""
        return [value for value in self.numbers if value.of not in self.phases]

    @property
    def best(self) -> list[Value]:
        """Metrics of the best weights of the last phase."""
        phases = [value.of for value in self.numbers if value.of in self.phases]
        return [value for value in self.numbers if phases and value.of == phases[-1]]

    def find_direction(self, column: tuple[str, str]) -> str | None:
        """Return whether ``higher`` or ``lower`` values of a metric are better; None if the run does not say."""
        for line in self.starts[::-1]:
            for metric in line.get("metrics", ()):
                if (metric["name"], metric["convention"]) == column:
                    return str(metric["better"])
        return None

    @property
    def speed(self) -> tuple[float, float] | None:
        """Images a second, and the share of the time spent waiting for data; None if the log does not say."""
        times = [line["seconds"] for line in self.training if {"step", "waited"} <= line["seconds"].keys()]
        steps = sum(time["step"] for time in times)
        if steps <= 0 or not self.history:
            return None
        return self.settings["batch_size"] * len(times) / steps, sum(time["waited"] for time in times) / steps


def read_run(path: Path) -> RunRecord:
    """Read a run folder. Lines and files that are damaged are left out.

    Raises:
        UsageError: it is no run folder, or its config cannot be read.
    """
    config = read_yaml(path)
    about = config.pop(RUN_KEY, None)
    if not isinstance(about, Mapping) or "task" not in about:
        raise UsageError(f"{path / 'config.yaml'} does not name its task; give a run folder that restore train made")
    folder = RunFolder(path)
    lines = [line for line in read_json_lines(folder.log) if _is_whole(line)]
    return RunRecord(
        path=path,
        task=str(about["task"]),
        settings=config,
        about=about,
        training=[line for line in lines if line["kind"] == "train"],
        evaluations=[line for line in lines if line["kind"] == "validation"],
        history=read_history(path),
        summary=_read_summary(folder.summary),
    )


def _is_whole(line: Mapping[str, Any]) -> bool:
    """Return whether a line of the log has what is read of it."""
    placed = isinstance(line.get("epoch"), int) and isinstance(line.get("step"), int) and "phase" in line
    timed = isinstance(line.get("seconds"), dict)
    if line["kind"] == "validation":
        return placed and isinstance(line.get("metrics"), list) and "best" in line
    return placed and timed and isinstance(line["seconds"].get("run"), int | float)


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return summary if isinstance(summary, dict) and isinstance(summary.get("metrics"), list) else {}


def _values(metrics: Any) -> Iterator[Value]:
    for metric in metrics:
        value = metric.get("value")
        number = float(value) if isinstance(value, int | float) else math.nan
        name, convention, of = (str(metric[key]) for key in ("name", "convention", "of"))
        images, left_out = metric.get("images"), metric.get("left_out")
        counted = isinstance(images, int) and isinstance(left_out, int)
        yield Value(name, convention, of, number, *((images, left_out) if counted else ()))
