"""Where a run stands: everything that moves and is not a tensor."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from restore.core.intervals import Interval
from restore.core.settings import EarlyStoppingSettings


@dataclass
class Progress:
    """Counters of a run; a checkpoint holds them and a resumed run takes them up."""

    phase: int = 0
    """Index of the phase."""
    epoch: int = 0
    """Epochs of the run that are done."""
    phase_epoch: int = 0
    """Epochs of the phase that are done."""
    step: int = 0
    """Optimizer steps of the epoch that are done."""
    run_step: int = 0
    phase_step: int = 0
    best: float | None = None
    """Best value of the phase's monitored metric."""
    stale: int = 0
    """Evaluations since it improved."""
    numbers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Measured numbers by whose they are: baselines and the best of each phase."""
    seconds: float = 0.0
    """Time spent before the last resume."""

    def next_phase(self) -> None:
        """Begin the phase after this one."""
        self.phase += 1
        self.phase_epoch = self.step = self.phase_step = self.stale = 0
        self.best = None

    def ended_early(self, stopping: EarlyStoppingSettings) -> bool:
        """Whether the phase is over before its epochs are done. A resumed run may judge by another patience."""
        return stopping.patience is not None and self.stale >= stopping.patience

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """The progress that a checkpoint holds."""
        return cls(**state)


class CheckpointClock:
    """Says when a checkpoint is due: every so many steps or epochs, or after so much time."""

    def __init__(self, every: str) -> None:
        self.every = Interval.parse(every)
        self.last = time.monotonic()

    def due(self, progress: Progress, *, end_of_epoch: bool) -> bool:
        """Whether to save now."""
        if self.every.steps:
            return progress.run_step % self.every.steps == 0
        if self.every.epochs:
            return end_of_epoch and progress.epoch % self.every.epochs == 0
        return time.monotonic() - self.last >= self.every.seconds

    @property
    def by_time(self) -> bool:
        """Whether processes may disagree about when a checkpoint is due."""
        return self.every.seconds > 0

    def saved(self) -> None:
        """A checkpoint was saved just now."""
        self.last = time.monotonic()
