"""One run: phases, epochs and steps, with evaluation, samples and checkpoints between them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, gather_object
from torch import Tensor, nn

from restore.core import checkpoints, events, snapshot
from restore.core.averaging import Averages
from restore.core.chance import chance, derive
from restore.core.checkpoints import Checkpoint
from restore.core.errors import Interrupted
from restore.core.evaluation import EvaluationInterrupted, as_batch, evaluate
from restore.core.measuring import Number
from restore.core.order import Batches, make_loader, make_plan
from restore.core.progress import CheckpointClock, Progress
from restore.core.run_folder import RunFolder
from restore.core.settings import RunSettings
from restore.core.stopping import StopSignals
from restore.core.task import Modules, Phase, Step, Task
from restore.core.tracking import Tracker, make_sheet, write_sheet
from restore.core.turns import Networks, Turns
from restore.core.weights import save_weights


@dataclass
class Parts:
    """What a run is made of."""

    task: Task
    name: str
    """Full name of the task."""
    settings: RunSettings
    phases: Sequence[Phase]
    folder: RunFolder
    accelerator: Accelerator
    networks: Networks
    averages: Averages | None
    tracker: Tracker | None
    """None on every process but the main one."""
    emit: Callable[[events.Event], None]


class Run:
    """Goes through the phases of a run, from wherever its progress stands."""

    def __init__(self, parts: Parts, stop: StopSignals, checkpoint: Checkpoint | None) -> None:
        self.parts = parts
        self.stop = stop
        self.device = parts.accelerator.device
        self.main = parts.accelerator.is_main_process
        self.progress = Progress.from_dict(checkpoint.state["progress"]) if checkpoint else Progress()
        self.clock = CheckpointClock(parts.settings.checkpoint_every)
        self.protocol = next(iter(parts.task.protocols().values()))
        self.began = time.monotonic()
        self._earlier_seconds = self.progress.seconds
        self._checkpoint = checkpoint
        self._warned: set[str] = set()
        self._step_seconds: list[tuple[float, float]] = []

    @property
    def phase(self) -> Phase:
        """The phase in progress."""
        return self.parts.phases[self.progress.phase]

    @property
    def seconds(self) -> float:
        """Time spent on the run, before a resume too."""
        return self._earlier_seconds + time.monotonic() - self.began

    def go(self) -> None:
        """Train until the last phase is over.

        Raises:
            Interrupted: told to stop; a checkpoint is saved.
        """
        goes_on = self._checkpoint is not None
        while True:
            self._begin_phase()
            if self.progress.run_step == 0:
                self._measure_baselines()
            if not goes_on:
                self._save()  # one checkpoint at the start of each phase, whatever checkpoint_every says
            goes_on = False
            while self.progress.phase_epoch < self.phase.epochs and not self.progress.phase_over:
                self._train_epoch()
                self._end_epoch()
            self.parts.emit(events.PhaseFinished(self.phase.name, self.progress.phase_over))
            if self.progress.phase + 1 == len(self.parts.phases):
                break
            self._start_next_phase()
        self._save()

    # --- phases -----------------------------------------------------------------------------------------------

    def _begin_phase(self) -> None:
        parts, phase, accelerator = self.parts, self.phase, self.parts.accelerator
        pictures = parts.task.data("train", phase)
        self.validation = parts.task.data("validation", phase)
        self.plan = make_plan(
            parts.settings, len(pictures), processes=accelerator.num_processes, rank=accelerator.process_index
        )
        self.batches = Batches(self.plan)
        self.loader = make_loader(pictures, self.batches, parts.settings, pin=self.device.type == "cuda")
        self.turns = Turns(
            accelerator,
            parts.networks,
            phase,
            precision=parts.settings.precision,
            averages=parts.averages,
            warn=self.warn,
            max_skipped=parts.settings.max_skipped,
        )
        if self._checkpoint:
            snapshot.restore_turns(self._checkpoint, self.turns)
            snapshot.restore_chance(self._checkpoint, self.turns, self.device, accelerator.process_index)
            self._checkpoint = None
        parts.emit(events.PhaseStarted(phase.name, self.progress.phase, phase.epochs))

    def _start_next_phase(self) -> None:
        """Load what the next phase starts from; its optimizers, schedules, best and counters are new."""
        parts, following = self.parts, self.parts.phases[self.progress.phase + 1]
        if following.start == "best":
            tensors = checkpoints.load_tensors(parts.folder.start_of_next(self.phase.name))
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
            self._step_seconds.append((time.perf_counter() - began, waited))
            self.parts.emit(self._step_done(*self._step_seconds[-1]))
            last = progress.step == steps
            if last or progress.run_step % self.parts.settings.log_every == 0:
                self._log()
            if self._told_to_stop():
                self._interrupt()
            if not last and self._checkpoint_due(end_of_epoch=False):
                self._save()

    def _train_step(self, micro_batches: Iterator[dict[str, Tensor]]) -> float:
        """One optimizer step; returns the seconds spent waiting for data."""
        progress, phase, parts = self.progress, self.phase, self.parts
        planned = phase.epochs * self.plan.steps
        step = Step(phase.name, progress.epoch, progress.run_step, progress.phase_step, progress.phase_step / planned)
        for optimizer in self.turns.optimizers.values():
            optimizer.set_rate(progress.phase_step, planned, self.plan.steps)
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

    def _step_done(self, seconds: float, waited: float) -> events.StepDone:
        progress = self.progress
        left = self.phase.epochs - progress.phase_epoch + sum(p.epochs for p in self.parts.phases[progress.phase + 1 :])
        return events.StepDone(
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

    def _log(self) -> None:
        state = self.turns.numbers.take()
        ranks = gather_object([state]) if self.parts.accelerator.num_processes > 1 else [state]
        numbers = {}
        for name in state:
            total, count = (sum(rank[name][k] for rank in ranks if name in rank) for k in (0, 1))
            numbers[name] = total / count
        for name, optimizer in self.turns.optimizers.items():
            numbers[f"{name}/lr"] = optimizer.rate
        times = self._step_seconds or [(0.0, 0.0)]
        spent, waited = (sum(column) for column in zip(*times, strict=True))
        seconds = {"run": round(self.seconds, 3), "step": round(spent / len(times), 5), "waited": round(waited, 5)}
        self._step_seconds = []
        if self.parts.tracker:
            self.parts.tracker.logged(self._place(), numbers, seconds)
        self.parts.emit(events.Logged(self.phase.name, self.progress.epoch, self.progress.run_step, numbers, seconds))
        message = self.parts.task.health(numbers)
        if message:
            self.warn(message)

    def _place(self) -> dict[str, Any]:
        return {"phase": self.phase.name, "epoch": self.progress.epoch, "step": self.progress.run_step}

    def warn(self, message: str) -> None:
        """Tell a person, once."""
        if message not in self._warned:
            self._warned.add(message)
            self.parts.emit(events.Warned(message))

    # --- epochs -----------------------------------------------------------------------------------------------

    def _end_epoch(self) -> None:
        progress, settings = self.progress, self.parts.settings
        last = progress.phase_epoch + 1 >= self.phase.epochs
        if last or (progress.phase_epoch + 1) % settings.evaluate_every == 0:
            try:
                self._evaluate()
            except EvaluationInterrupted:
                self._interrupt()  # at the end of the epoch: the evaluation is made when the run goes on
        progress.epoch += 1
        progress.phase_epoch += 1
        progress.step = 0
        if self._told_to_stop() and not (last and progress.phase + 1 == len(self.parts.phases)):
            self._interrupt()
        if not last and self._checkpoint_due(end_of_epoch=True):
            self._save()

    def _evaluate(self) -> None:
        parts, accelerator = self.parts, self.parts.accelerator
        began = time.monotonic()
        modules = self._evaluated_modules()
        result = evaluate(
            parts.task,
            modules,
            self.validation,
            self.protocol,
            device=self.device,
            of=self.phase.name,
            rank=accelerator.process_index,
            processes=accelerator.num_processes,
            stop=self._stop_of_evaluation,
        )
        best = self._judge(result.numbers)
        if best:
            self.progress.numbers[self.phase.name] = [asdict(number) for number in result.numbers]
        if self.main:
            self._export(modules, result.numbers, best)
        if parts.tracker:
            parts.tracker.evaluated(self._place(), result.numbers, best, round(time.monotonic() - began, 3))
        parts.emit(events.Evaluated(self.phase.name, self.progress.epoch, self.progress.run_step, result.numbers, best))
        self._write_samples(modules)

    def _evaluated_modules(self) -> dict[str, nn.Module]:
        """Averaged weights where there are any, else the networks themselves; the same on every process."""
        averaged = self.parts.averages.modules if self.parts.averages else {}
        modules = {name: averaged.get(name, module).eval() for name, module in self.parts.networks.raw.items()}
        if self.parts.accelerator.num_processes > 1:
            for module in modules.values():
                for buffer in module.buffers():
                    buffer.copy_(broadcast(buffer))
        return modules

    def _judge(self, numbers: Sequence[Number]) -> bool:
        """Whether these are the best weights of the phase; counts towards early stopping and plateaus."""
        progress, phase, stopping = self.progress, self.phase, self.parts.settings.early_stopping
        if phase.monitor is None:
            return True
        metric = self.protocol.metrics[phase.monitor]
        value = next(number.value for number in numbers if number.name == metric.name)
        sign = 1 if metric.better == "higher" else -1
        gain = math.inf if progress.best is None else sign * (value - progress.best)
        improved = not math.isnan(value) and gain > 0
        progress.stale = 0 if improved and gain > stopping.min_delta else progress.stale + 1
        progress.best = value if improved else progress.best
        for optimizer in self.turns.optimizers.values():
            if optimizer.plateau:
                optimizer.plateau.evaluated(improved)
        if stopping.patience is not None and progress.stale >= stopping.patience:
            progress.phase_over = True
        return improved

    def _export(self, modules: Mapping[str, nn.Module], numbers: Sequence[Number], best: bool) -> None:
        folder = self.parts.folder
        exported = {name: modules[name] for name in self.parts.task.exported}
        model = getattr(self.parts.settings, "model", None)
        paths = [folder.last, *([folder.best_of(self.phase.name), folder.best] if best else [])]
        for path in paths:
            save_weights(
                path,
                task=self.parts.name,
                model=model.model_dump(mode="json") if model else {},
                modules=exported,
                phase=self.phase.name,
                numbers=[asdict(number) for number in numbers],
            )
        if best and self.progress.phase + 1 < len(self.parts.phases):
            checkpoints.save_tensors(folder.start_of_next(self.phase.name), snapshot.named_tensors(modules))

    @torch.no_grad()
    def _write_samples(self, modules: Mapping[str, nn.Module]) -> None:
        count = min(self.parts.settings.sample_pictures, len(self.validation))
        if not self.main or not count:
            return
        with chance(derive(self.parts.settings.seed, "samples"), self.device):
            rows = [
                self.parts.task.sample_row(as_batch(self.validation[index], self.device), Modules(modules))
                for index in range(count)
            ]
        sheet = make_sheet(rows)
        path = self.parts.folder.samples / f"epoch-{self.progress.epoch + 1:04d}.png"
        write_sheet(path, sheet)
        if self.parts.tracker:
            self.parts.tracker.sampled(sheet, self.progress.run_step)
        self.parts.emit(events.SamplesWritten(path, self.progress.run_step))

    def _measure_baselines(self) -> None:
        accelerator = self.parts.accelerator
        for name, baseline in self.parts.task.baselines().items():
            if name in self.progress.numbers:
                continue
            try:
                result = evaluate(
                    baseline,
                    {},
                    self.validation,
                    self.protocol,
                    device=self.device,
                    of=name,
                    rank=accelerator.process_index,
                    processes=accelerator.num_processes,
                    stop=self._stop_of_evaluation,
                )
            except EvaluationInterrupted:
                self._interrupt()
            self.progress.numbers[name] = [asdict(number) for number in result.numbers]
            self.parts.emit(events.Evaluated(name, 0, 0, result.numbers, best=False))

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

    def _save(self) -> Path | None:
        parts = self.parts
        self.progress.seconds = self.seconds
        about = {"task": parts.name, "log": parts.tracker.log.position() if parts.tracker else None}
        modules = parts.networks.raw
        taken = snapshot.take(parts.accelerator, modules, parts.averages, self.turns, self.progress, about)
        path = None
        if self.main:
            path = checkpoints.save(
                parts.folder.checkpoints, self.progress.run_step, taken, keep=parts.settings.checkpoint_keep
            )
            parts.emit(events.CheckpointSaved(path, self.progress.run_step))
        parts.accelerator.wait_for_everyone()
        self.clock.saved()
        return path
