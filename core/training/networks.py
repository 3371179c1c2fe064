"""The networks of a run: built, placed, wrapped, averaged."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from restore.core.networks import Networks, frozen, move
from restore.core.settings import RunSettings
from restore.core.task import Task
from restore.core.training.ema import EMA


class WrappedNetworks:
    """Every network of a run: the trained ones twice, raw and wrapped as their optimizer needs them.

    Args:
        raw: the trained networks, in one fixed order whatever the phase.
        wrapped: the same, distributed and compiled.
        inference: names of those that prediction needs; weights files hold them.
        frozen: networks of the losses, which are not trained.
        ema: moving averages of the networks of inference, if the run keeps them.
    """

    def __init__(
        self,
        raw: Mapping[str, nn.Module],
        wrapped: Mapping[str, nn.Module],
        *,
        inference: Iterable[str] = (),
        frozen: Mapping[str, nn.Module] | None = None,
        ema: EMA | None = None,
    ) -> None:
        self.raw = dict(raw)
        self.wrapped = dict(wrapped)
        self.inference = tuple(inference)
        self.frozen = dict(frozen or {})
        self.ema = ema

    @classmethod
    def build(cls, task: Task, accelerator: Accelerator, settings: RunSettings) -> Self:
        """Build the networks of a task on the device of a run; averages start from `EMA.restart`."""
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
        return cls(raw, wrapped, inference=inference, frozen=fixed, ema=ema)

    @property
    def only_inference(self) -> bool:
        """Whether prediction needs every network that is trained."""
        return len(self.inference) == len(self.raw)

    def for_optimizer(self, trained: tuple[str, ...]) -> Networks:
        """The networks as the loss function of one optimizer gets them.

        A frozen network called through its distributed wrapper would leave the reducer armed, and a trained one called
        without it would never be averaged: so wrapped where trained, raw everywhere else.
        """
        own = {name: (self.wrapped if name in trained else self.raw)[name] for name in self.raw}
        return Networks({**own, **self.frozen})

    def for_evaluation(self, processes: int) -> dict[str, nn.Module]:
        """The trained networks in evaluation mode, averaged where there are averages; the same on every process."""
        averaged = self.ema.networks if self.ema else {}
        networks = {name: averaged.get(name, network).eval() for name, network in self.raw.items()}
        if processes > 1:
            for network in networks.values():
                for buffer in network.buffers():
                    buffer.copy_(broadcast(buffer))
        return networks

    @contextlib.contextmanager
    def only_trainable(self, trained: tuple[str, ...]) -> Iterator[None]:
        """Freeze every other network, so that no optimizer leaves a gradient in the networks of another."""
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
        """Every buffer that a forward pass may change."""
        return [buffer for network in self.raw.values() for buffer in network.buffers()]
