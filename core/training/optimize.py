"""The optimizers of a phase, with gradient accumulation, several processes and mixed precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor
from typing_extensions import override

from restore.core.errors import TrainingDiverged
from restore.core.runtime.precision import autocast
from restore.core.training.networks import WrappedNetworks
from restore.core.training.optimizers import ScheduledOptimizer
from restore.core.training_step import LossFunction, Phase, TrainStep


class LossMeter:
    """Sums logged values between two log lines, on the device, so that logging does not wait for it."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, name: str, value: Tensor | float) -> None:
        """Add one value."""
        value = value.detach().float().mean() if isinstance(value, Tensor) else torch.tensor(float(value))
        self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.counts[name] = self.counts.get(name, 0) + 1

    def state(self) -> dict[str, tuple[float, int]]:
        """Return sums and counts as plain numbers; JSON preserves a float32 exactly."""
        return {name: (float(total), self.counts[name]) for name, total in self.sums.items()}

    def restore(self, state: Mapping[str, tuple[float, int]], device: torch.device) -> None:
        """Load sums and counts."""
        self.sums = {name: torch.tensor(total, device=device) for name, (total, _) in state.items()}
        self.counts = {name: count for name, (_, count) in state.items()}

    def take(self) -> dict[str, tuple[float, int]]:
        """Return sums and counts and reset them."""
        state = self.state()
        self.sums, self.counts = {}, {}
        return state


@dataclass(frozen=True)
class _Step(TrainStep):
    """A step of the current phase."""

    optimizers: PhaseOptimizers

    @override
    @override
    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        self.optimizers.optimize(name, loss_fn)

    @override
    @override
    def log(self, **values: Tensor | float) -> None:
        for name, value in values.items():
            self.optimizers.meter.add(name, value)


class PhaseOptimizers:
    """The optimizers of one phase; implements `TrainStep.optimize`.

    Args:
        accelerator: processes and gradient synchronization.
        networks: all networks of the run.
        phase: optimizers, and the networks that each of them trains.
        precision: fp32, bf16 or fp16.
        warn: called with a message about each skipped step.
        max_skipped: number of consecutive skipped steps of an optimizer that counts as divergence.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        networks: WrappedNetworks,
        phase: Phase,
        *,
        precision: str,
        warn: Callable[[str], None],
        max_skipped: int,
    ) -> None:
        self.accelerator = accelerator
        self.networks = networks
        self.phase = phase
        self.precision = precision
        self.warn = warn
        self.max_skipped = max_skipped
        self.meter = LossMeter()
        self.skipped = dict.fromkeys(phase.optimizers, 0)
        # one scaler per optimizer: a shared one could change its scale between the micro-batches of another optimizer
        self.scalers = {
            name: torch.amp.GradScaler(accelerator.device.type) for name in phase.optimizers if precision == "fp16"
        }
        self.by_name = {
            name: ScheduledOptimizer(
                settings,
                (
                    (f"{network}.{parameter}", tensor)
                    for network in phase.networks_of(name)
                    for parameter, tensor in networks.raw[network].named_parameters()
                ),
            )
            for name, settings in phase.optimizers.items()
        }
        self._buffers: list[Tensor] = []
        self._last_terms: dict[str, Tensor] = {}

    def begin_step(self, *, epoch: int = 0, run_step: int = 0, phase_step: int = 0, progress: float = 0.0) -> TrainStep:
        """Start an optimizer step and return the object for the task; called once, before the step's micro-batches.

        Keeps a copy of all buffers, because a forward pass with non-finite values would spoil them. The arguments are
        the fields of `TrainStep`.
        """
        self._buffers = [buffer.clone() for buffer in self.networks.buffers()]
        return _Step(self.phase.name, epoch, run_step, phase_step, progress, self)

    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        """Run forward and backward, and the optimizer's step on the last micro-batch."""
        trained = self.phase.networks_of(name)
        with self.networks.only_trainable(trained):
            with autocast(self.accelerator.device, self.precision):
                terms = loss_fn(self.networks.for_optimizer(trained))
            total = torch.stack([term.float() for term in terms.values()]).sum()
            scaler = self.scalers.get(name)
            self.accelerator.backward(scaler.scale(total) if scaler else total)
        self._last_terms = {f"{name}/{term}": value.detach() for term, value in terms.items()}
        for term, value in self._last_terms.items():
            self.meter.add(term, value)
        if self.accelerator.sync_gradients:
            self._step(name, trained)

    def _step(self, name: str, trained: tuple[str, ...]) -> None:
        optimizer, scaler = self.by_name[name], self.scalers.get(name)
        if scaler:
            scaler.unscale_(optimizer.optimizer)
        # after the reduction all processes have the same gradient and make the same decision
        gradients = [p.grad for p in optimizer.parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        finite = bool(norm.isfinite())
        if finite:
            self.meter.add(f"{name}/gradient", norm)
            if optimizer.settings.clip_norm is not None:
                torch.nn.utils.clip_grads_with_norm_(optimizer.parameters, optimizer.settings.clip_norm, norm)
            optimizer.optimizer.step() if scaler is None else scaler.step(optimizer.optimizer)
            self.skipped[name] = 0
            for network in trained:
                if self.networks.ema and network in self.networks.ema.networks:
                    self.networks.ema.update(network, self.networks.raw[network])
        if scaler:
            scaler.update()
        # only after the step: earlier, it would erase the gradients of previous micro-batches
        optimizer.optimizer.zero_grad()
        if not finite:
            self._skip(name)

    def _skip(self, name: str) -> None:
        for buffer, before in zip(self.networks.buffers(), self._buffers, strict=True):
            buffer.copy_(before)
        self.skipped[name] += 1
        bad = [term for term, value in self._last_terms.items() if not bool(value.isfinite())]
        cause = f"{', '.join(bad)} is not finite" if bad else f"the gradient of {name} is not finite"
        if self.skipped[name] >= self.max_skipped:
            raise TrainingDiverged(
                f"training diverged: {self.skipped[name]} consecutive steps of {name} were skipped because {cause}. "
                "The last good checkpoint is kept; start a new run from it with --init-from, and use a lower learning "
                "rate, clip_norm or --precision fp32"
            )
        if not self.scalers or self.skipped[name] > 4:  # fp16 skips a few steps at first to find its scale
            self.warn(f"a step of {name} was skipped: {cause}")
