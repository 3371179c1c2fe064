"""Between epochs: measure, judge whether it is the best so far, export weights, show samples."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import torch
from accelerate.utils import broadcast
from torch import nn

from restore.core import events
from restore.core.chance import chance, derive
from restore.core.evaluation import Evaluation, as_batch, evaluate
from restore.core.machine.devices import kernels_for_use
from restore.core.measuring import Number
from restore.core.records import checkpoints
from restore.core.records.tracking import make_sheet, write_sheet
from restore.core.steps import Modules, Phase
from restore.core.task import Task
from restore.core.training import snapshot
from restore.core.training.parts import Parts
from restore.core.training.progress import Progress
from restore.core.training.turns import Turns
from restore.core.weights.files import save_weights


class Validation:
    """Measures a run on its validation pictures."""

    def __init__(self, parts: Parts, progress: Progress, stop: Callable[[], bool]) -> None:
        self.parts = parts
        self.progress = progress
        self.stop = stop
        self.device = parts.accelerator.device
        self.protocol = next(iter(parts.task.protocols().values()))

    def begin(self, phase: Phase, turns: Turns) -> None:
        """Measure on the pictures of a phase from here on."""
        self.phase, self.turns = phase, turns
        self.pictures = self.parts.pictures("validation", phase)
        self.latest: dict[str, float] = {}

    def measure_baselines(self) -> None:
        """Measure the methods that the task is compared with, unless they were.

        Raises:
            EvaluationInterrupted: told to stop.
        """
        for name, baseline in self.parts.task.baselines().items():
            if name not in self.progress.numbers:
                result = self._measured(baseline, {}, name)
                self.progress.numbers[name] = [asdict(number) for number in result.numbers]
                self.parts.emit(events.Evaluated(name, 0, 0, result.numbers, best=False))

    def _measured(self, task: Task, modules: Mapping[str, nn.Module], of: str) -> Evaluation:
        accelerator = self.parts.accelerator
        return evaluate(
            task,
            modules,
            self.pictures,
            self.protocol,
            device=self.device,
            of=of,
            rank=accelerator.process_index,
            processes=accelerator.num_processes,
            stop=self.stop,
        )

    def evaluate(self) -> None:
        """Measure the networks, keep them, and keep them as the phase's best if they are.

        Raises:
            EvaluationInterrupted: told to stop; nothing was kept.
        """
        parts = self.parts
        began = time.monotonic()
        modules = self._evaluated_modules()
        result = self._measured(parts.task, modules, self.phase.name)
        best = self._judge(result.numbers)
        measured = {"validation": [asdict(number) for number in result.numbers]}
        measured |= {f"baseline/{name}": self.progress.numbers.get(name, []) for name in parts.task.baselines()}
        self.latest = {
            f"{of}/{key}": number["value"]
            for of, numbers in measured.items()
            for key, number in zip(self.protocol.metrics, numbers, strict=False)
        }
        place = {"phase": self.phase.name, "epoch": self.progress.epoch, "step": self.progress.run_step}
        if best:
            self.progress.numbers[self.phase.name] = [asdict(number) for number in result.numbers]
        if parts.accelerator.is_main_process:
            self._export(modules, result.numbers, best)
        if parts.tracker:
            parts.tracker.evaluated(place, result.numbers, best, round(time.monotonic() - began, 3))
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
        # a run whose metric is never a number still ends with weights: its first ones, until better are known
        return improved or phase.name not in progress.numbers

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
        if best and self.parts.has_critics:
            checkpoints.save_tensors(folder.start_of_next(self.phase.name), snapshot.named_tensors(modules))

    @torch.no_grad()
    def _write_samples(self, modules: Mapping[str, nn.Module]) -> None:
        count = min(self.parts.settings.sample_pictures, len(self.pictures))
        if not self.parts.accelerator.is_main_process or not count:
            return
        with kernels_for_use(), chance(derive(self.parts.settings.seed, "samples"), self.device):
            rows = [
                self.parts.task.sample_row(as_batch(self.pictures[index], self.device), Modules(modules))
                for index in range(count)
            ]
        sheet = make_sheet(rows)
        path = self.parts.folder.samples / f"epoch-{self.progress.epoch + 1:04d}.png"
        write_sheet(path, sheet)
        if self.parts.tracker:
            self.parts.tracker.sampled(sheet, self.progress.run_step)
        self.parts.emit(events.SamplesWritten(path, self.progress.run_step))
