"""`TrainStep`, the interface between the engine and a task's training step, and `Phase`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from torch import Tensor

from restore.core.dataset import Batch
from restore.core.networks import Networks
from restore.core.optimizer_settings import OptimizerSettings

Terms = Mapping[str, Tensor]
"""Named scalar loss terms. The engine back-propagates their sum and logs each term."""

LossFunction = Callable[[Networks], Terms]
"""Computes the loss terms of one optimizer. It only calls the networks that it receives; see ``Task.train_step``."""


class Loss(Protocol):
    """Computes named loss terms."""

    def __call__(self, prediction: Any, batch: Batch) -> Terms:
        """Return the scalar terms of a prediction and the batch that it was made from."""
        ...


@dataclass(frozen=True)
class TrainStep(ABC):
    """One training step: its position in the run, and what a task can do in it."""

    phase: str
    """Name of the phase."""
    epoch: int
    """Epoch of the run, from 0."""
    run_step: int
    """Optimizer steps done in the run."""
    phase_step: int
    """Optimizer steps done in the phase."""
    progress: float
    """Fraction of the phase that is done, in [0, 1)."""

    @abstractmethod
    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        """Run forward, backward and, on the last micro-batch, the step of one optimizer.

        Calls ``loss_fn(nets)`` with the networks of that optimizer trainable and all others frozen, back-propagates the
        sum of the returned terms, and steps the optimizer on the last micro-batch of the step. Autocast, gradient
        scaling, clipping and averaging over processes happen here. A step with a non-finite gradient is skipped.

        Args:
            name: name of the optimizer in ``Phase.optimizers``.
            loss_fn: computes the loss terms; ``Task.train_step`` lists its rules.
        """

    @abstractmethod
    def log(self, **values: Tensor | float) -> None:
        """Log values that are not losses, such as the mean score of real images. The log averages them."""


@dataclass(frozen=True)
class Phase:
    """A part of a run with its own optimizers, schedules and best weights."""

    name: str
    epochs: int
    optimizers: Mapping[str, OptimizerSettings]
    """Optimizers by name. An optimizer trains the network of the same name unless ``trains`` lists others."""
    trains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Maps an optimizer's name to the names of the networks that it trains."""
    start: Literal["best", "last"] = "best"
    """Which weights of the previous phase this phase starts from."""
    monitor: str | None = None
    """Key, in the training protocol, of the metric that selects the best weights; None: the last weights are the
    best."""

    def networks_of(self, optimizer: str) -> tuple[str, ...]:
        """Return the names of the networks that an optimizer trains."""
        return self.trains.get(optimizer, (optimizer,))
