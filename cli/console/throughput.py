"""How fast a run is, and whether it waits for its data."""

from __future__ import annotations

from collections import deque

from restore.core.events import StepDone
from restore.core.runtime.processes import cores

WINDOW = 50
"""Steps over which the rate is averaged."""
WARM_UP = 10
"""First steps of a phase, which are not representative because loading processes start."""
WAITING = 0.2
"""Fraction of the time spent waiting for data from which a warning is printed."""


class Throughput:
    """Follows the steps of a run."""

    def __init__(self) -> None:
        self._recent: deque[StepDone] = deque(maxlen=WINDOW)
        self._phase_steps = 0
        self._advised = False

    def begin_phase(self) -> None:
        """Forget the steps of earlier phases, whose speed is another."""
        self._recent.clear()
        self._phase_steps = 0

    def step(self, done: StepDone) -> None:
        """Count one step."""
        self._recent.append(done)
        self._phase_steps += 1

    @property
    def rate(self) -> float:
        """Images per second over the last steps, evaluations and checkpoints left out; 0 before the first step."""
        seconds = sum(step.seconds for step in self._recent)
        return sum(step.samples for step in self._recent) / seconds if seconds > 0 else 0.0

    @property
    def waiting(self) -> float:
        """Fraction of the last steps spent waiting for data, in [0, 1]."""
        seconds = sum(step.seconds for step in self._recent)
        return sum(step.waited for step in self._recent) / seconds if seconds > 0 else 0.0

    def advice(self) -> str | None:
        """Return a warning if the run waits for data: once, after enough steps and at the end of an epoch."""
        if self._advised or self._phase_steps < WINDOW + WARM_UP or self.waiting <= WAITING:
            return None
        if self._recent[-1].step < self._recent[-1].steps:
            return None
        self._advised = True
        return (
            f"training waits for data {self.waiting:.0%} of the time; "
            f"more loading processes may help: --workers {min(8, max(2, cores()))}"
        )
