"""Optimizers and learning rates from settings. A rate is a function of the progress of the phase."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch.nn import Parameter

from restore.core.errors import UsageError
from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.settings import RunSettings
from restore.core.training_step import Phase

NamedParameter = tuple[str, Parameter]
"""A parameter with its name, such as ``generator.conv.weight``."""

ONE_CYCLE_START = 0.04
"""Initial rate of one-cycle as a fraction of the peak (1/25, as in Smith and Topin, 2018)."""


def make_optimizer(settings: OptimizerSettings, parameters: Iterable[NamedParameter]) -> torch.optim.Optimizer:
    """Make the optimizer of the trainable ones of the parameters, with one group for each learning rate.

    Raises:
        UsageError: a pattern in ``lr_factors`` matches none of the trainable parameters.
    """
    trainable = [(name, parameter) for name, parameter in parameters if parameter.requires_grad]
    groups = parameter_groups(settings, trainable)
    common: dict[str, Any] = {"lr": settings.lr, "weight_decay": settings.weight_decay}
    # fused: one pass over the memory instead of ten; not available on other devices
    fused = all(parameter.device.type in ("cpu", "cuda") for _, parameter in trainable)
    match settings.name:
        case "adam":
            return torch.optim.Adam(groups, betas=settings.betas, fused=fused, **common)
        case "adamw":
            return torch.optim.AdamW(groups, betas=settings.betas, fused=fused, **common)
        case "sgd":
            return torch.optim.SGD(groups, momentum=settings.momentum, nesterov=settings.nesterov, **common)
        case "rmsprop":
            return torch.optim.RMSprop(groups, alpha=settings.betas[1], momentum=settings.momentum, **common)


def parameter_groups(settings: OptimizerSettings, parameters: Sequence[NamedParameter]) -> list[dict[str, Any]]:
    """Split parameters into one group for each factor of the learning rate; the group with the full rate is first.

    Raises:
        UsageError: a pattern in ``lr_factors`` matches no parameter, or only those that an earlier pattern matches.
    """
    found: dict[str | None, list[Parameter]] = {None: [], **{pattern: [] for pattern in settings.lr_factors}}
    for name, parameter in parameters:
        found[next((pattern for pattern in settings.lr_factors if fnmatchcase(name, pattern)), None)].append(parameter)
    for pattern in settings.lr_factors:
        if not found[pattern]:
            names = ", ".join(name for name, _ in parameters[:3])
            raise UsageError(f"lr_factors: {pattern!r} fits none of the parameters, which are {names}, …")
    rates = [settings.lr, *(factor * settings.lr for factor in settings.lr_factors.values())]
    return [{"params": group, "lr": rate} for group, rate in zip(found.values(), rates, strict=True) if group]


def rate_factor(schedule: ScheduleSettings, progress: float) -> float:
    """Return the learning rate at a point of the phase, in [0, 1], as a fraction of the peak rate.

    ``plateau`` is constant here; `Plateau` computes its decreases.
    """
    final, warmup = schedule.final, schedule.warmup
    if schedule.name == "one-cycle":
        rising = warmup or 0.3
        if progress < rising:
            return _cosine(ONE_CYCLE_START, 1.0, progress / rising)
        return _cosine(1.0, final, (progress - rising) / (1 - rising)) if rising < 1 else 1.0
    if progress < warmup:
        return progress / warmup
    match schedule.name:
        case "linear":
            return 1.0 + (final - 1.0) * _after(warmup, progress)
        case "cosine":
            return _cosine(1.0, final, _after(warmup, progress))
        case "multi-step":
            return float(schedule.gamma ** bisect_right(sorted(schedule.milestones), progress))
        case _:
            return 1.0


def _after(warmup: float, progress: float) -> float:
    return (progress - warmup) / (1 - warmup) if warmup < 1 else 0.0


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


@dataclass
class Plateau:
    """Lowers a rate whenever a metric has not improved for ``patience`` evaluations."""

    stale: int = 0
    """Evaluations since the last improvement or decrease."""
    factor: float = 1.0
    """Product of all decreases."""

    def count_evaluation(self, improved: bool, schedule: ScheduleSettings) -> None:
        """Count one evaluation."""
        self.stale = 0 if improved else self.stale + 1
        if self.stale > schedule.patience:
            self.stale = 0
            self.factor *= schedule.gamma


class ScheduledOptimizer:
    """An optimizer whose learning rate is set before each step."""

    def __init__(self, settings: OptimizerSettings, parameters: Iterable[NamedParameter]) -> None:
        self.settings = settings
        self.optimizer = make_optimizer(settings, parameters)
        self.rate = settings.lr
        """Learning rate of the last step, of parameters without a factor."""
        self._shares = [group["lr"] / settings.lr for group in self.optimizer.param_groups]
        self.plateau = Plateau() if settings.schedule.name == "plateau" else None

    @property
    def parameters(self) -> list[Parameter]:
        """All parameters that it trains."""
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]

    def set_rate(self, step: int, steps: int, steps_per_epoch: int) -> None:
        """Set the rate of the next step, after ``step`` of the ``steps`` steps of the phase."""
        schedule = self.settings.schedule
        warms_up = schedule.warmup > 0 and schedule.name != "one-cycle"
        # the first step, or epoch, of a warm-up would have rate 0 and change nothing, so use the rate at its end
        if schedule.per == "epoch":
            step = step // steps_per_epoch * steps_per_epoch
            end = int(schedule.warmup * steps) if warms_up else 0
            step = min(step + steps_per_epoch, end) if step < end else step
        elif warms_up:
            step += 1
        progress = min(1.0, step / max(1, steps))
        factor = rate_factor(schedule, progress) * (self.plateau.factor if self.plateau else 1.0)
        self.rate = self.settings.lr * factor
        for group, share in zip(self.optimizer.param_groups, self._shares, strict=True):
            group["lr"] = self.rate * share


def check_schedules(phases: Sequence[Phase], settings: RunSettings, notice: Callable[[str], None]) -> None:
    """Check that plateau schedules and early stopping have a metric to monitor.

    Raises:
        UsageError: a plateau schedule, or early stopping, would have no effect.
    """
    unmonitored = [phase for phase in phases if phase.monitor is None]
    for phase in unmonitored:
        for name, optimizer in phase.optimizers.items():
            if optimizer.schedule.name == "plateau":
                raise UsageError(
                    f"phase {phase.name!r} monitors no metric, so {name}'s plateau schedule would never trigger; "
                    "choose another schedule"
                )
    if settings.early_stopping.patience is not None and unmonitored:
        names = ", ".join(phase.name for phase in unmonitored)
        if len(unmonitored) == len(phases):
            raise UsageError(
                f"early_stopping.patience: no phase of this task monitors a metric ({names}), so early stopping would "
                "have no effect; leave it out"
            )
        notice(f"early stopping has no effect in {names}: no metric is monitored there")
