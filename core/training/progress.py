"""Progress of a run: all of its state that is not a tensor."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from restore.core.intervals import Interval
from restore.core.metrics import MetricResult
from restore.core.settings import EarlyStoppingSettings


@dataclass
class Progress:
    """Counters of a run; stored in checkpoints and restored on resume."""

    phase: int = 0
    """Index of the phase."""
    epoch: int = 0
    """Epochs done in the run."""
    phase_epoch: int = 0
    """Epochs done in the phase."""
    step: int = 0
    """Optimizer steps done in the epoch."""
    run_step: int = 0
    phase_step: int = 0
    best: float | None = None
    """Best value of the phase's monitored metric."""
    stale: int = 0
    """Evaluations since the monitored metric improved."""
    numbers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Metrics by owner: the baselines, and the best weights of each phase."""
    seconds: float = 0.0
    """Time spent before the last resume."""

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        """Return the progress in the state of a checkpoint. Raises TypeError, ValueError or KeyError if it is none."""
        progress = cls(**state)
        counters = (progress.phase, progress.epoch, progress.phase_epoch, progress.step, progress.run_step)
        if not all(type(count) is int and count >= 0 for count in (*counters, progress.phase_step, progress.stale)):
            raise ValueError("a counter is no whole number")
        float(progress.seconds), float(progress.best or 0)
        for group in progress.numbers.values():
            for number in group:
                MetricResult(**number)
                if not all(isinstance(number[name], str) for name in ("name", "convention", "of")):
                    raise TypeError("a metric has no name")
        return progress

    def next_phase(self) -> None:
        """Advance to the next phase."""
        self.phase += 1
        self.phase_epoch = self.step = self.phase_step = self.stale = 0
        self.best = None

    def should_stop_early(self, stopping: EarlyStoppingSettings) -> bool:
        """Return whether the phase is to stop early. A resumed run may have another patience."""
        return stopping.patience is not None and self.stale >= stopping.patience


class CheckpointClock:
    """Decides when a checkpoint is due, by steps, epochs or time."""

    def __init__(self, every: str) -> None:
        self.every = Interval.parse(every)
        self.last = time.monotonic()

    def due(self, progress: Progress, *, end_of_epoch: bool) -> bool:
        """Return whether to save a checkpoint now."""
        if self.every.steps:
            return progress.run_step % self.every.steps == 0
        if self.every.epochs:
            return end_of_epoch and progress.epoch % self.every.epochs == 0
        return time.monotonic() - self.last >= self.every.seconds

    @property
    def by_time(self) -> bool:
        """Whether processes may disagree about when a checkpoint is due."""
        return self.every.seconds > 0

    def mark_saved(self) -> None:
        """Note that a checkpoint was saved."""
        self.last = time.monotonic()
