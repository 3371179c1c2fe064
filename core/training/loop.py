"""The training loop: phases, epochs and steps, with evaluations, samples and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NoReturn

import torch
from accelerate.utils import gather_object
from torch import Tensor

from restore.core import events
from restore.core.errors import CheckpointError, Interrupted
from restore.core.evaluation import EvaluationInterrupted
from restore.core.runs import checkpoints
from restore.core.runs.checkpoints import Checkpoint
from restore.core.runtime.devices import runs_channels_last
from restore.core.training import checkpointing
from restore.core.training.context import RunContext
from restore.core.training.dataloading import MicroBatchSampler, PhaseData, make_loader, next_batch
from restore.core.training.log import TrainingLog
from restore.core.training.optimize import PhaseOptimizers
from restore.core.training.progress import CheckpointClock, Progress
from restore.core.training.signals import StopSignals
from restore.core.training.validation import Validation
from restore.core.training_step import Phase
from restore.core.weights.tensors import load_exactly


class TrainingLoop:
    """Runs the phases of a run to the end, from ``checkpoint`` or from the start; ``data`` are those of the first."""

    def __init__(
        self, context: RunContext, data: PhaseData, stop: StopSignals, checkpoint: Checkpoint | None = None
    ) -> None:
        self.context = context
        self.stop = stop
        self.device = context.accelerator.device
        with checkpointing.report_misfit(context.folder.checkpoints):
            self.progress = Progress.of(checkpoint.state["progress"]) if checkpoint else Progress()
        self.clock = CheckpointClock(context.settings.checkpoint_every)
        # several processes measure different numbers of images and cannot agree to stop within an evaluation
        alone = context.accelerator.num_processes == 1
        self.validation = Validation(context, self.progress, lambda: alone and bool(stop))
        self.log = TrainingLog(context, self.progress)
        self.started = time.monotonic()
        self.loader: Iterable[dict[str, Tensor]] = ()
        self._earlier_seconds = self.progress.seconds
        self._checkpoint = checkpoint
        self._data = data

    @property
    def phase(self) -> Phase:
        """The phase in progress."""
        return self.context.phases[self.progress.phase]

    @property
    def seconds(self) -> float:
        """Training time of the run in seconds, including the time before a resume."""
        return self._earlier_seconds + time.monotonic() - self.started

    def run(self) -> None:
        """Train until the last phase is finished.

        Raises:
            Interrupted: a signal stopped the run; a checkpoint is saved.
        """
        resumed = self._checkpoint is not None
        try:
            while True:
                self._begin_phase()
                if self.progress.run_step == 0:
                    self._interruptible(self.validation.measure_baselines)
                if not resumed:
                    self._save()  # each phase starts with a checkpoint, independent of checkpoint_every
                resumed = False
                while self.progress.phase_epoch < self.phase.epochs and not self._ended_early:
                    self._train_epoch()
                    self._end_epoch()
                self.context.emit(events.PhaseFinished(self.phase.name, self._ended_early))
                if self.progress.phase + 1 == len(self.context.phases):
                    break
                self._start_next_phase()
            self._save()
        finally:
            self.loader = ()  # ends its workers now; at interpreter exit torch would report their end as a failure

    # --- phases -----------------------------------------------------------------------------------------------

    def _begin_phase(self) -> None:
        context, phase, rank = self.context, self.phase, self.context.accelerator.process_index
        if self.progress.phase > 0:  # the data of the first phase exist already: they are checked before the run
            processes = context.accelerator.num_processes
            self._data = PhaseData.make(context.task, phase, context.settings, processes=processes)
        self.plan = self._data.plan
        self.sampler = MicroBatchSampler(self.plan, rank)
        self.loader = make_loader(self._data.train, self.sampler, context.settings, self.device)
        self.optimizers = PhaseOptimizers(
            context.accelerator,
            context.networks,
            phase,
            precision=context.settings.precision,
            warn=self.log.warn,
            max_skipped=context.settings.max_skipped,
        )
        if self._checkpoint:
            with checkpointing.report_misfit(context.folder.checkpoints):
                checkpointing.restore_optimizers(self._checkpoint, self.optimizers)
                checkpointing.restore_rng(self._checkpoint, self.optimizers, self.device, rank)
            self._checkpoint = None
        self.validation.begin(phase, self._data.validation, self.optimizers)
        self.log.begin(phase, self.plan, self.optimizers)
        first_epoch = self.progress.epoch - self.progress.phase_epoch
        context.emit(events.PhaseStarted(phase.name, self.progress.phase, phase.epochs, first_epoch))

    def _start_next_phase(self) -> None:
        """Load the weights that the next phase starts from; reset optimizers, schedules, best value and counters."""
        context, networks = self.context, self.context.networks
        if context.phases[self.progress.phase + 1].start == "best":
            whole = context.folder.best_of if networks.only_inference else context.folder.start_of_next
            path = whole(self.phase.name)
            load_exactly(networks.raw, checkpoints.load_tensors(path), str(path), CheckpointError)
        elif networks.ema:
            for name, network in networks.ema.networks.items():
                networks.raw[name].load_state_dict(network.state_dict())
        if networks.ema:
            networks.ema.restart(networks.raw)
        self.progress.next_phase()

    @property
    def _ended_early(self) -> bool:
        return self.progress.should_stop_early(self.context.settings.early_stopping)

    # --- steps ------------------------------------------------------------------------------------------------

    def _train_epoch(self) -> None:
        progress, steps = self.progress, self.plan.steps
        self.context.networks.train()
        self.sampler.start(progress.epoch, progress.step)
        micro_batches = iter(self.loader)
        while progress.step < steps:
            started = time.perf_counter()
            waited = self._train_step(micro_batches)
            self.log.step_done(time.perf_counter() - started, waited)
            last = progress.step == steps
            if last or progress.run_step % self.context.settings.log_every == 0:
                self.log.log(self.seconds)
                self.log.check_health(self.validation.latest, self._phase_progress)
            if self._must_stop():
                self._interrupt()
            if not last and self._checkpoint_due(end_of_epoch=False):
                self._save()

    def _train_step(self, micro_batches: Iterator[dict[str, Tensor]]) -> float:
        """Do one optimizer step; return the seconds spent waiting for data."""
        progress, context = self.progress, self.context
        for optimizer in self.optimizers.by_name.values():
            optimizer.set_rate(progress.phase_step, self.phase.epochs * self.plan.steps, self.plan.steps)
        step = self.optimizers.begin_step(
            epoch=progress.epoch,
            run_step=progress.run_step,
            phase_step=progress.phase_step,
            progress=self._phase_progress,
        )
        waited = 0.0
        for _ in range(self.plan.micro_batches):
            started = time.perf_counter()
            batch = self._to_device(next_batch(micro_batches))
            waited += time.perf_counter() - started
            # a single accumulate() over all networks: nested ones would count a micro-batch twice
            with context.accelerator.accumulate(*context.networks.wrapped.values()):
                context.task.train_step(batch, step)
        progress.step += 1
        progress.run_step += 1
        progress.phase_step += 1
        return waited

    def _to_device(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        moved = {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}
        if self.context.task.channels_last and runs_channels_last(self.device):
            return {
                name: value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value
                for name, value in moved.items()
            }
        return moved

    @property
    def _phase_progress(self) -> float:
        """Fraction of the phase that is done, in [0, 1]."""
        return self.progress.phase_step / (self.phase.epochs * self.plan.steps)

    # --- epochs -----------------------------------------------------------------------------------------------

    def _end_epoch(self) -> None:
        progress, settings = self.progress, self.context.settings
        last = progress.phase_epoch + 1 >= self.phase.epochs
        if last or (progress.phase_epoch + 1) % settings.evaluate_every == 0:
            self._interruptible(self.validation.evaluate)
            self.log.check_health(self.validation.latest, self._phase_progress)
        progress.epoch += 1
        progress.phase_epoch += 1
        progress.step = 0
        if self._must_stop() and not (last and progress.phase + 1 == len(self.context.phases)):
            self._interrupt()
        if not last and self._checkpoint_due(end_of_epoch=True):
            self._save()

    def _interruptible(self, evaluation: Callable[[], None]) -> None:
        try:
            evaluation()
        except EvaluationInterrupted:
            self._interrupt()  # at the end of the epoch; the resumed run repeats the evaluation

    # --- stopping and keeping -------------------------------------------------------------------------------------

    def _must_stop(self) -> bool:
        """Return whether any process received a stop signal. All must agree, or one waits for the others forever."""
        return any(self._on_all_processes(bool(self.stop)))

    def _checkpoint_due(self, *, end_of_epoch: bool) -> bool:
        due = self.clock.due(self.progress, end_of_epoch=end_of_epoch)
        return self._on_all_processes(due)[0] if self.clock.by_time else due

    def _on_all_processes(self, flag: bool) -> list[bool]:
        return gather_object([flag]) if self.context.accelerator.num_processes > 1 else [flag]

    def _interrupt(self) -> NoReturn:
        self._save()
        raise Interrupted(
            f"stopped after step {self.progress.run_step}; a checkpoint of it is saved", self.context.folder.path
        )

    def _save(self) -> None:
        context = self.context
        self.progress.seconds = self.seconds
        about = {
            "task": context.name,
            "planned": [(phase.name, phase.epochs) for phase in context.phases],
            "data": context.fingerprint,
            "log": context.metric_logger.log.position() if context.metric_logger else None,
        }
        taken = checkpointing.take(context.accelerator, context.networks, self.optimizers, self.progress, about)
        if context.accelerator.is_main_process:
            keep = context.settings.checkpoint_keep
            path = checkpoints.save(context.folder.checkpoints, self.progress.run_step, taken, keep=keep)
            context.emit(events.CheckpointSaved(path, self.progress.run_step))
        context.accelerator.wait_for_everyone()
        self.clock.mark_saved()
