"""Report the steps of a run: to its listeners, to its log, and in words where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from accelerate.utils import gather_object

from restore.core import events
from restore.core.training.context import RunContext
from restore.core.training.dataloading import EpochPlan
from restore.core.training.optimize import PhaseOptimizers
from restore.core.training.progress import Progress
from restore.core.training_step import Phase


class TrainingLog:
    """Reports the steps of a run."""

    def __init__(self, context: RunContext, progress: Progress) -> None:
        self.context = context
        self.progress = progress
        self._logged: dict[str, float] = {}
        self._warned: set[str] = set()
        self._step_seconds: list[tuple[float, float]] = []

    def begin(self, phase: Phase, plan: EpochPlan, optimizers: PhaseOptimizers) -> None:
        """Report the steps of a phase from here on."""
        self.phase, self.plan, self.optimizers = phase, plan, optimizers

    def step_done(self, seconds: float, waited: float) -> None:
        """A step was made; it took so long, of which so much was spent waiting for data."""
        self._step_seconds.append((seconds, waited))
        progress, later = self.progress, self.context.phases[self.progress.phase + 1 :]
        left = self.phase.epochs - progress.phase_epoch + sum(phase.epochs for phase in later)
        self.context.emit(
            events.StepDone(
                phase=self.phase.name,
                epoch=progress.epoch,
                epochs=progress.epoch + left,
                step=progress.step,
                steps=self.plan.steps,
                run_step=progress.run_step,
                run_steps=progress.run_step - progress.step + left * self.plan.steps,
                samples=self.plan.batch_size,
                seconds=seconds,
                waited=waited,
            )
        )

    def log(self, run_seconds: float) -> None:
        """Log the means since the last time over all processes; called on every process at the same steps."""
        state = self.optimizers.meter.take()
        ranks = gather_object([state]) if self.context.accelerator.num_processes > 1 else [state]
        numbers = {}
        for name in state:
            total, count = (sum(rank[name][k] for rank in ranks if name in rank) for k in (0, 1))
            numbers[name] = total / count
        for name, optimizer in self.optimizers.by_name.items():
            numbers[f"{name}/lr"] = optimizer.rate
        times = self._step_seconds or [(0.0, 0.0)]
        spent, waited = (sum(column) for column in zip(*times, strict=True))
        seconds = {"run": round(run_seconds, 3), "step": round(spent / len(times), 5), "waited": round(waited, 5)}
        self._step_seconds = []
        phase, progress = self.phase.name, self.progress
        if self.context.tracker:
            place = {"phase": phase, "epoch": progress.epoch, "step": progress.run_step}
            self.context.tracker.logged(place, numbers, seconds)
        self.context.emit(events.Logged(phase, progress.epoch, progress.run_step, numbers, seconds))
        self._logged = numbers

    def check_health(self, measured: Mapping[str, float], progress: float) -> None:
        """Ask the task whether training goes well; ``measured`` are the numbers of the last evaluation.

        ``progress`` is how much of the phase is done, in [0, 1].
        """
        message = self.context.task.health({**self._logged, **measured, "progress": progress})
        for line in (message or "").splitlines():  # each once, whatever else is wrong at the same time
            self.warn(line)

    def warn(self, message: str) -> None:
        """Warn once."""
        if message not in self._warned:
            self._warned.add(message)
            self.context.emit(events.Warned(message))
