"""The optimizers of a phase, right under accumulation, several processes and mixed precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor

from restore.core.errors import TrainingDiverged
from restore.core.runtime.precision import autocast
from restore.core.training.networks import WrappedNetworks
from restore.core.training.optimizers import ScheduledOptimizer
from restore.core.training_step import LossFunction, Phase, TrainStep


class LossMeter:
    """Sums of logged values since the last log line, kept on the device so that logging does not wait for it."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, name: str, value: Tensor | float) -> None:
        """Add one value."""
        value = value.detach().float().mean() if isinstance(value, Tensor) else torch.tensor(float(value))
        self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.counts[name] = self.counts.get(name, 0) + 1

    def state(self) -> dict[str, tuple[float, int]]:
        """Sums and counts as plain numbers; a float32 survives JSON unchanged."""
        return {name: (float(total), self.counts[name]) for name, total in self.sums.items()}

    def restore(self, state: Mapping[str, tuple[float, int]], device: torch.device) -> None:
        """Load sums and counts."""
        self.sums = {name: torch.tensor(total, device=device) for name, (total, _) in state.items()}
        self.counts = {name: count for name, (_, count) in state.items()}

    def take(self) -> dict[str, tuple[float, int]]:
        """Return sums and counts, and start again from zero."""
        state = self.state()
        self.sums, self.counts = {}, {}
        return state


@dataclass(frozen=True)
class _Step(TrainStep):
    """The step of a running phase."""

    optimizers: PhaseOptimizers

    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        self.optimizers.optimize(name, loss_fn)

    def log(self, **values: Tensor | float) -> None:
        for name, value in values.items():
            self.optimizers.meter.add(name, value)


class PhaseOptimizers:
    """The optimizers of one phase, and what `TrainStep.optimize` does with them.

    Args:
        accelerator: the processes, and when gradients are synchronized.
        networks: every network of the run.
        phase: its optimizers and the networks that each of them trains.
        precision: fp32, bf16 or fp16.
        warn: told about skipped steps.
        max_skipped: skipped steps of one optimizer in a row after which training counts as diverged.
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
        # one for each optimizer: a common one could change its scale between the micro-batches of the other's step
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
        """Begin an optimizer step and return what the task gets; called once before the micro-batches of a step.

        Keeps the buffers that a forward pass with non-finite values would spoil. The arguments are those of
        `TrainStep`.
        """
        self._buffers = [buffer.clone() for buffer in self.networks.buffers()]
        return _Step(self.phase.name, epoch, run_step, phase_step, progress, self)

    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        """Run forward and backward now, and the optimizer's step on the last micro-batch."""
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
        # after the reduction the gradient is the same on every process, and so is the decision to step
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
        # after the step: before it would wipe the gradients of earlier micro-batches
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
                f"training diverged: {self.skipped[name]} steps of {name} in a row were skipped because {cause}; the "
                "last good checkpoint is kept. Begin a new run with a lower learning rate, with clip_norm, or with "
                "--precision fp32; --init-from takes that checkpoint"
            )
        if not self.scalers or self.skipped[name] > 4:  # fp16 begins by finding its scale: a few skips are its way
            self.warn(f"a step of {name} was skipped: {cause}")
