"""One optimizer's share of a training step, right under accumulation, several processes and mixed precision."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from restore.core.errors import TrainingDiverged
from restore.core.machine.precision import autocast
from restore.core.steps import Modules, Phase, Terms
from restore.core.training.averaging import Averages
from restore.core.training.optimizers import ScheduledOptimizer


class Networks:
    """Every trained network twice: raw, and wrapped as the module in turn needs it (spread, compiled)."""

    def __init__(self, raw: Mapping[str, nn.Module], wrapped: Mapping[str, nn.Module]) -> None:
        self.raw = dict(raw)
        self.wrapped = dict(wrapped)

    def in_turn(self, owned: tuple[str, ...]) -> Modules:
        """The networks as one turn sees them.

        A frozen network called through its distributed wrapper would leave the reducer armed, and one in turn called
        without it would never be averaged: so wrapped where owned, raw everywhere else.
        """
        return Modules({name: (self.wrapped if name in owned else self.raw)[name] for name in self.raw})

    @contextlib.contextmanager
    def only_trainable(self, owned: tuple[str, ...]) -> Iterator[None]:
        """Freeze every network that is not in turn, so that a turn leaves no gradient in another's."""
        others = [p for name, m in self.raw.items() if name not in owned for p in m.parameters() if p.requires_grad]
        for parameter in others:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in others:
                parameter.requires_grad_(True)

    def buffers(self) -> list[Tensor]:
        """Every buffer that a forward pass may change."""
        return [buffer for module in self.raw.values() for buffer in module.buffers()]


class Numbers:
    """Sums of logged numbers since the last log line, kept on the device so that logging does not wait for it."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, name: str, value: Tensor | float) -> None:
        """Take in one value."""
        value = value.detach().float().mean() if isinstance(value, Tensor) else torch.tensor(float(value))
        self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.counts[name] = self.counts.get(name, 0) + 1

    def state(self) -> dict[str, tuple[float, int]]:
        """Sums and counts as plain numbers; a float32 survives JSON unchanged."""
        return {name: (float(total), self.counts[name]) for name, total in self.sums.items()}

    def restore(self, state: Mapping[str, tuple[float, int]], device: torch.device) -> None:
        """Take up sums and counts."""
        self.sums = {name: torch.tensor(total, device=device) for name, (total, _) in state.items()}
        self.counts = {name: count for name, (_, count) in state.items()}

    def take(self) -> dict[str, tuple[float, int]]:
        """Sums and counts; then begin anew."""
        state = self.state()
        self.sums, self.counts = {}, {}
        return state


class Turns:
    """The ``turn`` of one phase: what a task's ``train_step`` calls."""

    def __init__(
        self,
        accelerator: Accelerator,
        networks: Networks,
        phase: Phase,
        *,
        precision: str,
        averages: Averages | None,
        warn: Callable[[str], None],
        max_skipped: int,
    ) -> None:
        self.accelerator = accelerator
        self.networks = networks
        self.phase = phase
        self.precision = precision
        self.averages = averages
        self.warn = warn
        self.max_skipped = max_skipped
        self.numbers = Numbers()
        self.skipped = dict.fromkeys(phase.optimizers, 0)
        # one for each optimizer: a common one could change its scale between the micro-batches of the other's step
        self.scalers = {
            name: torch.amp.GradScaler(accelerator.device.type) for name in phase.optimizers if precision == "fp16"
        }
        self.optimizers = {
            name: ScheduledOptimizer(
                settings, (p for owned in phase.owned_by(name) for p in networks.raw[owned].parameters())
            )
            for name, settings in phase.optimizers.items()
        }
        self._buffers: list[Tensor] = []
        self._last_terms: dict[str, Tensor] = {}

    def begin_step(self) -> None:
        """Remember what a poisoned forward pass would spoil; called once before the micro-batches of a step."""
        self._buffers = [buffer.clone() for buffer in self.networks.buffers()]

    def __call__(self, name: str, closure: Callable[[Modules], Terms]) -> None:
        """Run one turn: forward and backward now, the optimizer's step on the last micro-batch."""
        optimizer = self.optimizers[name]
        owned = self.phase.owned_by(name)
        with self.networks.only_trainable(owned):
            with autocast(self.accelerator.device, self.precision):
                terms = closure(self.networks.in_turn(owned))
            total = torch.stack([term.float() for term in terms.values()]).sum()
            scaler = self.scalers.get(name)
            self.accelerator.backward(scaler.scale(total) if scaler else total)
        self._last_terms = {f"{name}/{term}": value.detach() for term, value in terms.items()}
        for term, value in self._last_terms.items():
            self.numbers.add(term, value)
        if self.accelerator.sync_gradients:
            self._step(name, optimizer, owned)

    def log(self, **numbers: Tensor | float) -> None:
        """Record numbers that are no loss."""
        for name, value in numbers.items():
            self.numbers.add(name, value)

    def _step(self, name: str, optimizer: ScheduledOptimizer, owned: tuple[str, ...]) -> None:
        scaler = self.scalers.get(name)
        if scaler:
            scaler.unscale_(optimizer.optimizer)
        # after the reduction the gradient is the same on every process, and so is the decision to step
        gradients = [p.grad for p in optimizer.parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        finite = bool(norm.isfinite())
        if finite:
            self.numbers.add(f"{name}/gradient", norm)
            if optimizer.settings.clip_norm is not None:
                torch.nn.utils.clip_grads_with_norm_(optimizer.parameters, optimizer.settings.clip_norm, norm)
            optimizer.optimizer.step() if scaler is None else scaler.step(optimizer.optimizer)
            self.skipped[name] = 0
            for module in owned:
                if self.averages and module in self.averages.modules:
                    self.averages.update(module, self.networks.raw[module])
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
