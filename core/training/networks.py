"""The networks of a run: building, device placement, wrapping, averaging."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from restore.core.networks import Networks, frozen, move
from restore.core.settings import RunSettings
from restore.core.task import Task
from restore.core.training.ema import EMA


@dataclass
class WrappedNetworks:
    """All networks of a run; the trained ones both raw and wrapped for their optimizer."""

    raw: Mapping[str, nn.Module]
    """The trained networks, in the same order in every phase."""
    wrapped: Mapping[str, nn.Module]
    """The same networks, distributed and compiled."""
    inference: Sequence[str] = ()
    """Names of the networks that prediction needs; weights files store these."""
    frozen: Mapping[str, nn.Module] = field(default_factory=dict)
    """Fixed networks of the losses."""
    ema: EMA | None = None
    """Moving averages of the inference networks, if enabled."""

    @classmethod
    def build(cls, task: Task, accelerator: Accelerator, settings: RunSettings) -> Self:
        """Build the networks of a task on the device of a run. Call `EMA.restart` before the averages are used."""
        inference = task.networks()
        raw, fixed = {**inference, **task.training_networks()}, frozen(task.frozen_networks())
        move((*raw.values(), *fixed.values()), accelerator.device, channels_last=task.channels_last)
        wrapped = {name: accelerator.prepare_model(network) for name, network in raw.items()}
        if settings.compile:
            wrapped = {
                name: network if name in task.no_compile else torch.compile(network)
                for name, network in wrapped.items()
            }
        ema = EMA(inference, settings.ema) if settings.ema else None
        return cls(raw, wrapped, tuple(inference), fixed, ema)

    @property
    def only_inference(self) -> bool:
        """Whether prediction needs every trained network."""
        return len(self.inference) == len(self.raw)

    def for_optimizer(self, trained: tuple[str, ...]) -> Networks:
        """Return the networks for the loss function of an optimizer: trained ones wrapped, all others raw.

        A frozen network called through its distributed wrapper would leave the reducer waiting for gradients. A trained
        network called without its wrapper would not be averaged over processes.
        """
        own = {name: (self.wrapped if name in trained else self.raw)[name] for name in self.raw}
        return Networks({**own, **self.frozen})

    def for_evaluation(self, processes: int) -> dict[str, nn.Module]:
        """Return the trained networks in evaluation mode, their averages if any; equal on every process."""
        averaged = self.ema.networks if self.ema else {}
        networks = {name: averaged.get(name, network).eval() for name, network in self.raw.items()}
        if processes > 1:
            for network in networks.values():
                for buffer in network.buffers():
                    buffer.copy_(broadcast(buffer))
        return networks

    @contextlib.contextmanager
    def only_trainable(self, trained: tuple[str, ...]) -> Iterator[None]:
        """Freeze all other networks within the block, so that an optimizer leaves no gradient in them."""
        others = [p for name, m in self.raw.items() if name not in trained for p in m.parameters() if p.requires_grad]
        for parameter in others:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in others:
                parameter.requires_grad_(True)

    def train(self) -> None:
        """Set every trained network to training mode."""
        for network in self.raw.values():
            network.train()

    def buffers(self) -> list[Tensor]:
        """Return every buffer that a forward pass may change."""
        return [buffer for network in self.raw.values() for buffer in network.buffers()]
