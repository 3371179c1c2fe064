"""How fast a run goes, and whether it waits for its data."""

from __future__ import annotations

from collections import deque

from restore.core.events import StepDone
from restore.core.machine.processes import cores

WINDOW = 50
"""Steps over which the rate is averaged."""
SETTLING = 10
"""First steps of a phase, in which loading processes are started, and which tell nothing."""
WAITING = 0.2
"""Share of the time spent waiting for data from which it is worth telling."""


class Pace:
    """Watches the steps of a run."""

    def __init__(self) -> None:
        self._recent: deque[StepDone] = deque(maxlen=WINDOW)
        self._phase_steps = 0
        self._advised = False

    def begin_phase(self) -> None:
        """A phase has its own speed: what was seen before tells nothing about it."""
        self._recent.clear()
        self._phase_steps = 0

    def step(self, done: StepDone) -> None:
        """Take one step into account."""
        self._recent.append(done)
        self._phase_steps += 1

    @property
    def rate(self) -> float:
        """Images per second over the last steps, evaluations and checkpoints left out; 0 before the first step."""
        seconds = sum(step.seconds for step in self._recent)
        return sum(step.samples for step in self._recent) / seconds if seconds > 0 else 0.0

    @property
    def waiting(self) -> float:
        """Share of the last steps spent waiting for data, in [0, 1]."""
        seconds = sum(step.seconds for step in self._recent)
        return sum(step.waited for step in self._recent) / seconds if seconds > 0 else 0.0

    def advice(self) -> str | None:
        """What to do where the run waits for data; said once, after enough steps and at the end of an epoch."""
        if self._advised or self._phase_steps < WINDOW + SETTLING or self.waiting <= WAITING:
            return None
        if self._recent[-1].step < self._recent[-1].steps:
            return None
        self._advised = True
        return (
            f"{self.waiting:.0%} of the time is spent waiting for data. "
            f"More processes to load it may help: --workers {min(8, max(2, cores()))}"
        )
