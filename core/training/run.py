"""One run: phases, epochs and steps, with evaluation, samples and checkpoints between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NoReturn

import torch
from accelerate.utils import gather_object
from torch import Tensor

from restore.core import events
from restore.core.errors import Interrupted
from restore.core.evaluation import EvaluationInterrupted
from restore.core.records import checkpoints
from restore.core.records.checkpoints import Checkpoint
from restore.core.steps import Phase, Step
from restore.core.training import snapshot
from restore.core.training.order import Batches, make_loader, make_plan
from restore.core.training.parts import Parts
from restore.core.training.progress import CheckpointClock, Progress
from restore.core.training.reports import Reports
from restore.core.training.stopping import StopSignals
from restore.core.training.turns import Turns
from restore.core.training.validation import Validation


class Run:
    """Goes through the phases of a run, from wherever its progress stands."""

    def __init__(self, parts: Parts, stop: StopSignals, checkpoint: Checkpoint | None) -> None:
        self.parts = parts
        self.stop = stop
        self.device = parts.accelerator.device
        self.progress = Progress.from_dict(checkpoint.state["progress"]) if checkpoint else Progress()
        self.clock = CheckpointClock(parts.settings.checkpoint_every)
        self.validation = Validation(parts, self.progress, self._stop_of_evaluation)
        self.reports = Reports(parts, self.progress)
        self.began = time.monotonic()
        self._earlier_seconds = self.progress.seconds
        self._checkpoint = checkpoint
        self.loader: Iterable[dict[str, Tensor]] = ()

    @property
    def phase(self) -> Phase:
        """The phase in progress."""
        return self.parts.phases[self.progress.phase]

    @property
    def _ended_early(self) -> bool:
        return self.progress.ended_early(self.parts.settings.early_stopping)

    @property
    def seconds(self) -> float:
        """Time spent on the run, before a resume too."""
        return self._earlier_seconds + time.monotonic() - self.began

    def go(self) -> None:
        """Train until the last phase is over.

        Raises:
            Interrupted: told to stop; a checkpoint is saved.
        """
        try:
            self._go()
        finally:
            self.loader = ()  # ends its workers now: at the interpreter's exit torch takes their end for a failure

    def _go(self) -> None:
        goes_on = self._checkpoint is not None
        while True:
            self._begin_phase()
            if self.progress.run_step == 0:
                self._interruptible(self.validation.measure_baselines)
            if not goes_on:
                self._save()  # one checkpoint at the start of each phase, whatever checkpoint_every says
            goes_on = False
            while self.progress.phase_epoch < self.phase.epochs and not self._ended_early:
                self._train_epoch()
                self._end_epoch()
            self.parts.emit(events.PhaseFinished(self.phase.name, self._ended_early))
            if self.progress.phase + 1 == len(self.parts.phases):
                break
            self._start_next_phase()
        self._save()

    # --- phases -----------------------------------------------------------------------------------------------

    def _begin_phase(self) -> None:
        parts, phase, accelerator = self.parts, self.phase, self.parts.accelerator
        pictures = parts.pictures("train", phase)
        self.plan = make_plan(
            parts.settings, len(pictures), processes=accelerator.num_processes, rank=accelerator.process_index
        )
        self.batches = Batches(self.plan)
        self.loader = make_loader(pictures, self.batches, parts.settings, self.device)
        self.turns = Turns(
            accelerator,
            parts.networks,
            phase,
            precision=parts.settings.precision,
            averages=parts.averages,
            warn=self.reports.warn,
            max_skipped=parts.settings.max_skipped,
        )
        if self._checkpoint:
            snapshot.restore_turns(self._checkpoint, self.turns)
            snapshot.restore_chance(self._checkpoint, self.turns, self.device, accelerator.process_index)
            self._checkpoint = None
        self.validation.begin(phase, self.turns)
        self.reports.begin(phase, self.plan, self.turns)
        first_epoch = self.progress.epoch - self.progress.phase_epoch
        parts.emit(events.PhaseStarted(phase.name, self.progress.phase, phase.epochs, first_epoch))

    def _start_next_phase(self) -> None:
        """Load what the next phase starts from; its optimizers, schedules, best and counters are new."""
        parts, following = self.parts, self.parts.phases[self.progress.phase + 1]
        if following.start == "best":
            whole = (
                parts.folder.start_of_next
                if len(parts.task.exported) < len(parts.networks.raw)
                else parts.folder.best_of
            )
            tensors = checkpoints.load_tensors(whole(self.phase.name))
            snapshot.load_named_tensors(parts.networks.raw, tensors)
        elif parts.averages:
            for name, module in parts.averages.modules.items():
                parts.networks.raw[name].load_state_dict(module.state_dict())
        if parts.averages:
            parts.averages.restart(parts.networks.raw)
        self.progress.next_phase()

    # --- steps ------------------------------------------------------------------------------------------------

    def _train_epoch(self) -> None:
        progress, steps = self.progress, self.plan.steps
        for module in self.parts.networks.raw.values():
            module.train()
        self.batches.start(progress.epoch, progress.step)
        micro_batches = iter(self.loader)
        while progress.step < steps:
            began = time.perf_counter()
            waited = self._train_step(micro_batches)
            self.reports.step_done(time.perf_counter() - began, waited)
            last = progress.step == steps
            if last or progress.run_step % self.parts.settings.log_every == 0:
                self.reports.log(self.seconds)
                self.reports.check_health(self.validation.latest, self._share)
            if self._told_to_stop():
                self._interrupt()
            if not last and self._checkpoint_due(end_of_epoch=False):
                self._save()

    def _train_step(self, micro_batches: Iterator[dict[str, Tensor]]) -> float:
        """One optimizer step; returns the seconds spent waiting for data."""
        progress, phase, parts = self.progress, self.phase, self.parts
        step = Step(phase.name, progress.epoch, progress.run_step, progress.phase_step, self._share)
        for optimizer in self.turns.optimizers.values():
            optimizer.set_rate(progress.phase_step, self._planned, self.plan.steps)
        self.turns.begin_step()
        waited = 0.0
        for _ in range(self.plan.micro_batches):
            began = time.perf_counter()
            batch = self._to_device(next(micro_batches))
            waited += time.perf_counter() - began
            # one accumulate over all networks: nested ones would count a micro-batch twice
            with parts.accelerator.accumulate(*parts.networks.wrapped.values()):
                parts.task.train_step(batch, self.turns, step)
        progress.step += 1
        progress.run_step += 1
        progress.phase_step += 1
        return waited

    def _to_device(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        moved = {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}
        if self.parts.task.channels_last:
            return {
                name: value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value
                for name, value in moved.items()
            }
        return moved

    @property
    def _planned(self) -> int:
        """Optimizer steps of the whole phase."""
        return self.phase.epochs * self.plan.steps

    @property
    def _share(self) -> float:
        """How much of the phase is done, in [0, 1]."""
        return self.progress.phase_step / self._planned

    # --- epochs -----------------------------------------------------------------------------------------------

    def _end_epoch(self) -> None:
        progress, settings = self.progress, self.parts.settings
        last = progress.phase_epoch + 1 >= self.phase.epochs
        if last or (progress.phase_epoch + 1) % settings.evaluate_every == 0:
            self._interruptible(self.validation.evaluate)
            self.reports.check_health(self.validation.latest, self._share)
        progress.epoch += 1
        progress.phase_epoch += 1
        progress.step = 0
        if self._told_to_stop() and not (last and progress.phase + 1 == len(self.parts.phases)):
            self._interrupt()
        if not last and self._checkpoint_due(end_of_epoch=True):
            self._save()

    def _interruptible(self, evaluation: Callable[[], None]) -> None:
        try:
            evaluation()
        except EvaluationInterrupted:
            self._interrupt()  # at the end of the epoch: the evaluation is made when the run goes on

    # --- stopping and keeping -------------------------------------------------------------------------------------

    def _told_to_stop(self) -> bool:
        """Whether any process was told to stop; all of them agree, or one would wait for the others for ever."""
        return any(self._on_all_processes(bool(self.stop)))

    def _stop_of_evaluation(self) -> bool:
        # processes that measure different numbers of pictures could not agree in the middle of it
        return self.parts.accelerator.num_processes == 1 and bool(self.stop)

    def _checkpoint_due(self, *, end_of_epoch: bool) -> bool:
        due = self.clock.due(self.progress, end_of_epoch=end_of_epoch)
        return self._on_all_processes(due)[0] if self.clock.by_time else due

    def _on_all_processes(self, flag: bool) -> list[bool]:
        return gather_object([flag]) if self.parts.accelerator.num_processes > 1 else [flag]

    def _interrupt(self) -> NoReturn:
        self._save()
        raise Interrupted(
            f"stopped after step {self.progress.run_step}; everything up to it is saved", self.parts.folder.path
        )

    def _save(self) -> None:
        parts = self.parts
        self.progress.seconds = self.seconds
        about = {
            "task": parts.name,
            "planned": [(phase.name, phase.epochs) for phase in parts.phases],
            "pictures": parts.data,
            "log": parts.tracker.log.position() if parts.tracker else None,
        }
        modules = parts.networks.raw
        taken = snapshot.take(parts.accelerator, modules, parts.averages, self.turns, self.progress, about)
        if parts.accelerator.is_main_process:
            path = checkpoints.save(
                parts.folder.checkpoints, self.progress.run_step, taken, keep=parts.settings.checkpoint_keep
            )
            parts.emit(events.CheckpointSaved(path, self.progress.run_step))
        parts.accelerator.wait_for_everyone()
        self.clock.saved()
