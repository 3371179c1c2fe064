"""What passes between the engine and a task in a training step, and the phases that steps belong to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from torch import Tensor

from restore.core.dataset import Batch
from restore.core.networks import Networks
from restore.core.settings import OptimizerSettings

Terms = Mapping[str, Tensor]
"""Named scalar loss terms; their sum is back-propagated and each is logged."""

LossFunction = Callable[[Networks], Terms]
"""Computes the loss terms of one optimizer; reaches networks only by calling those that it is given."""


class Loss(Protocol):
    """Named terms of one loss."""

    def __call__(self, prediction: Any, batch: Batch) -> Terms:
        """Scalar terms for a prediction and the batch that it was made from."""
        ...


@dataclass(frozen=True)
class TrainStep(ABC):
    """One training step: where in the run it is, and what a task can do in it."""

    phase: str
    """Name of the phase."""
    epoch: int
    """Epoch of the run, from 0."""
    run_step: int
    """Optimizer steps done since the run began."""
    phase_step: int
    """Optimizer steps done since the phase began."""
    progress: float
    """Fraction of the phase that is done, in [0, 1)."""

    @abstractmethod
    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        """Take one optimizer's part of the step.

        Calls ``loss_fn(nets)`` with the networks of that optimizer trainable and every other one frozen,
        back-propagates the sum of the returned terms, and steps the optimizer on the last micro-batch of the step.
        Autocast, gradient scaling, clipping and averaging over processes happen here. A step whose gradient is not
        finite is skipped.

        Args:
            name: the optimizer, as the phase names it.
            loss_fn: computes the loss; see ``Task.train_step`` for what it may do.
        """

    @abstractmethod
    def log(self, **values: Tensor | float) -> None:
        """Record values that are not losses, such as the mean score of real images; the log averages them."""


@dataclass(frozen=True)
class Phase:
    """A stretch of a run with its own optimizers, schedules and best weights."""

    name: str
    epochs: int
    optimizers: Mapping[str, OptimizerSettings]
    """By name; an optimizer trains the network of its name unless ``trains`` says otherwise."""
    trains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Optimizer name to the names of the networks that it trains."""
    start: Literal["best", "last"] = "best"
    """Which weights of the phase before this one starts from."""
    monitor: str | None = None
    """Metric that chooses the best weights of the phase, by its key in the training protocol; none: its last weights
    are its best."""

    def networks_of(self, optimizer: str) -> tuple[str, ...]:
        """Names of the networks that one optimizer trains."""
        return self.trains.get(optimizer, (optimizer,))
