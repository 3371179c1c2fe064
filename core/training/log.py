"""Report the steps of a run to its listeners and its log, and print warnings about its health."""

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
        """Start to report the steps of a phase.

        Args:
            phase: the phase.
            plan: the plan of its epochs.
            optimizers: the optimizers of the phase.
        """
        self.phase, self.plan, self.optimizers = phase, plan, optimizers

    def step_done(self, seconds: float, waited: float) -> None:
        """Report one step: its duration, and the part of it that was spent waiting for data, in seconds."""
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
        """Log the means since the last call, over all processes. Every process must call it at the same steps."""
        state = self.optimizers.meter.take()
        ranks = gather_object([state]) if self.context.accelerator.num_processes > 1 else [state]
        numbers = {}
        for name in state:
            total, count = (sum(rank[name][k] for rank in ranks if name in rank) for k in (0, 1))
            numbers[name] = total / count
        for name, optimizer in self.optimizers.by_name.items():
            numbers[f"{name}/lr"] = optimizer.rate
        times = self._step_seconds or [(0.0, 0.0)]
        spent, waited = (sum(column) / len(times) for column in zip(*times, strict=True))
        seconds = {"run": round(run_seconds, 3), "step": round(spent, 5), "waited": round(waited, 5)}
        self._step_seconds = []
        phase, progress = self.phase.name, self.progress
        if self.context.metric_logger:
            place = {"phase": phase, "epoch": progress.epoch, "step": progress.run_step}
            self.context.metric_logger.log_training(place, numbers, seconds)
        self.context.emit(events.Logged(phase, progress.epoch, progress.run_step, numbers, seconds))
        self._logged = numbers

    def check_health(self, measured: Mapping[str, float], progress: float) -> None:
        """Call ``Task.health`` and print its warnings.

        Args:
            measured: numbers of the last evaluation.
            progress: fraction of the phase that is done, in [0, 1].
        """
        message = self.context.task.health({**self._logged, **measured, "progress": progress})
        for line in (message or "").splitlines():  # each line once, even if the others change
            self.warn(line)

    def warn(self, message: str) -> None:
        """Send a warning, once for each message."""
        if message not in self._warned:
            self._warned.add(message)
            self.context.emit(events.Warned(message))
