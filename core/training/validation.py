"""Validation between epochs: measure, select the best weights, export them, write sample images."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from restore.core import events
from restore.core.dataset import NamedDataset
from restore.core.errors import DataError
from restore.core.evaluation import as_batch, evaluate
from restore.core.method import Method
from restore.core.metrics import LimitedMetric, Metric, MetricResult, SizedMetric
from restore.core.networks import Networks, frozen
from restore.core.reduction import Evaluation
from restore.core.runs import checkpoints
from restore.core.runs.sample_sheets import locate_cells, make_sheet, write_sheet
from restore.core.runtime.devices import strict_fp32
from restore.core.seeding import derive_seed, seeded
from restore.core.settings import RunSettings
from restore.core.training.context import RunContext
from restore.core.training.optimize import PhaseOptimizers
from restore.core.training.progress import Progress
from restore.core.training_step import Phase
from restore.core.weights.files import save_weights
from restore.core.weights.header import SAMPLE
from restore.core.weights.tensors import named_tensors


class Validation:
    """Measures a run on its validation images."""

    def __init__(self, context: RunContext, progress: Progress, stop: Callable[[], bool]) -> None:
        self.context = context
        self.progress = progress
        self.stop = stop
        self.device = context.accelerator.device
        self.protocol = context.protocol
        self._explained: set[str] = set()

    def begin(self, phase: Phase, data: NamedDataset, optimizers: PhaseOptimizers) -> None:
        """Start to measure on the validation images of a phase; its plateau schedules learn the results."""
        self.phase, self.data, self.optimizers = phase, data, optimizers
        self.latest: dict[str, float] = {}

    def measure_baselines(self) -> None:
        """Measure the baselines of the task, unless this was done before.

        Raises:
            EvaluationInterrupted: a signal stopped the run.
        """
        for name, baseline in self.context.task.baselines().items():
            if name not in self.progress.numbers:
                result = self._measure(baseline, frozen(baseline.helper_networks()), name)
                self.progress.numbers[name] = [asdict(number) for number in result.numbers]
                self.context.emit(events.Evaluated(name, 0, 0, result.numbers, best=False))

    def _measure(self, method: Method, networks: Mapping[str, nn.Module], of: str) -> Evaluation:
        accelerator = self.context.accelerator
        result = evaluate(
            method,
            networks,
            self.data,
            self.protocol,
            device=self.device,
            of=of,
            rank=accelerator.process_index,
            processes=accelerator.num_processes,
            stop=self.stop,
        )
        if self.phase.monitor is not None:
            _require_monitored(self.protocol[self.phase.monitor], result, list(self.protocol).index(self.phase.monitor))
        if of not in self._explained:
            before = {name: group for name, group in self.progress.numbers.items() if name != of}
            self._explain(of, [*result.notes, *_explain_unequal(result.numbers, before)])
        return result

    def _explain(self, of: str, notes: Sequence[str]) -> None:
        """Send which images do not count, once for each owner: later evaluations have the same images."""
        for note in notes:
            if note not in self._explained:
                self.context.emit(events.Warned(note))
        self._explained |= {of, *notes}

    def evaluate(self) -> None:
        """Measure the networks and export their weights, also as the best of the phase if they are.

        Raises:
            EvaluationInterrupted: a signal stopped the run; nothing was written.
        """
        context = self.context
        began = time.monotonic()
        networks = context.networks.for_evaluation(context.accelerator.num_processes)
        result = self._measure(context.task, {**networks, **context.networks.frozen}, self.phase.name)
        best = self._judge(result)
        measured = {"validation": [asdict(number) for number in result.numbers]}
        measured |= {f"baseline/{name}": self.progress.numbers.get(name, []) for name in context.task.baselines()}
        self.latest = {
            f"{of}/{key}": number["value"]
            for of, numbers in measured.items()
            for key, number in zip(self.protocol, numbers, strict=False)
        }
        phase, epoch, step = self.phase.name, self.progress.epoch, self.progress.run_step
        place = {"phase": phase, "epoch": epoch, "step": step}
        if best:
            self.progress.numbers[phase] = [asdict(number) for number in result.numbers]
        if context.accelerator.is_main_process:
            self._export(networks, result.numbers, best)
        if context.metric_logger:
            context.metric_logger.log_validation(place, result.numbers, best, round(time.monotonic() - began, 3))
        context.emit(events.Evaluated(phase, epoch, step, result.numbers, best))
        self._write_samples(Networks({**networks, **context.networks.frozen}))

    def _judge(self, result: Evaluation) -> bool:
        """Return whether these are the best weights of the phase; update early stopping and plateau schedules."""
        progress, phase, stopping = self.progress, self.phase, self.context.settings.early_stopping
        if phase.monitor is None:
            return True
        metric = self.protocol[phase.monitor]
        value = comparable(metric, result.numbers[list(self.protocol).index(phase.monitor)], result)
        sign = 1 if metric.better == "higher" else -1
        gain = math.inf if progress.best is None else sign * (value - progress.best)
        improved = not math.isnan(value) and gain > 0
        progress.stale = 0 if improved and gain > stopping.min_delta else progress.stale + 1
        progress.best = value if improved else progress.best
        for optimizer in self.optimizers.by_name.values():
            if optimizer.plateau:
                optimizer.plateau.count_evaluation(improved, optimizer.settings.schedule)
        # even if the metric is always NaN the run must end with weights: keep the first ones until better ones appear
        return improved or phase.name not in progress.numbers

    def _export(self, networks: Mapping[str, nn.Module], numbers: Sequence[MetricResult], best: bool) -> None:
        context, folder = self.context, self.context.folder
        inference = {name: networks[name] for name in self.context.networks.inference}
        paths = [folder.last, *([folder.best_of(self.phase.name), folder.best] if best else [])]
        for path in paths:
            save_weights(
                path,
                task=context.name,
                model=context.settings.model.model_dump(mode="json"),
                networks=inference,
                phase=self.phase.name,
                numbers=[asdict(number) for number in numbers],
                plugins=context.plugins,
                card={"data": describe_data(context.settings)},
            )
        if best and not self.context.networks.only_inference:
            checkpoints.save_tensors(folder.start_of_next(self.phase.name), named_tensors(networks))

    @torch.no_grad()
    def _write_samples(self, networks: Networks) -> None:
        count = min(self.context.settings.sample_images, len(self.data))
        if not self.context.accelerator.is_main_process or not count:
            return
        with strict_fp32(), seeded(derive_seed(self.context.settings.seed, "samples"), self.device):
            rows = [
                self.context.task.sample_row(as_batch(self.data[index], self.device), networks)
                for index in range(count)
            ]
        sheet = make_sheet(rows)
        path = self.context.folder.samples / f"epoch-{self.progress.epoch + 1:04d}.png"
        write_sheet(path, sheet, locate_cells(rows))
        self.context.emit(events.SamplesWritten(path, self.progress.run_step))


def _require_monitored(metric: Metric, result: Evaluation, place: int) -> None:
    """Raise DataError if the images are too small for the metric by which the best weights are chosen."""
    number = result.numbers[place]
    if math.isnan(number.value) and number.images and number.left_out == number.images:
        side = f"; it needs {metric.least_side}x{metric.least_side} pixels" if isinstance(metric, SizedMetric) else ""
        raise DataError(
            f"all validation images are too small for {number.name}, which chooses the best weights{side}: give larger "
            "images, or another metric with --monitor"
        )


def describe_data(settings: RunSettings) -> str:
    """Return what a run trains on, in words for the card of its weights; without the place of folders."""
    dataset = getattr(getattr(settings, "dataset", None), "name", None)
    if settings.on_sample:
        told = SAMPLE
    elif settings.data is not None:
        told = f"the folder {settings.data.name}"
    else:
        told = f"the dataset {dataset}"
    return told if settings.init_from is None else f"{told}, starting from {settings.init_from.name}"


def _explain_unequal(numbers: Sequence[MetricResult], before: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return which values of earlier owners, such as baselines, leave out another number of images."""
    notes = []
    for place, number in enumerate(numbers):
        others = {of: group[place].get("left_out", 0) for of, group in before.items() if place < len(group)}
        unequal = [of for of, left_out in others.items() if left_out != number.left_out]
        if unequal:
            notes.append(
                f"{number.name} ({number.convention}) of {number.of} leaves out {number.left_out} images, that of "
                f"{' and '.join(f'{of} {others[of]}' for of in unequal)}: these values are not of the same images. "
                "'restore evaluate' with the run and a method compares those that count for both"
            )
    return notes


def comparable(metric: Metric, number: MetricResult, result: Evaluation) -> float:
    """Return a value by which two evaluations can be compared although some images are infinitely good.

    The value of such an evaluation leaves these images out, and so is of fewer images than that of another. Compared is
    the mean over images, each of which counts at most the limit of the metric, or if it has none, that of the finite
    ones.
    """
    key = (number.name, number.convention)
    values = [float(row["value"]) for row in result.per_image if (row["name"], row["convention"]) == key]
    none_left_out = not number.left_out and not math.isinf(number.value)
    if none_left_out or math.isnan(number.value) or not any(map(math.isinf, values)):
        return number.value
    if isinstance(metric, LimitedMetric):
        values = [max(-metric.limit, min(metric.limit, value)) for value in values]
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else number.value
