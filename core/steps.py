"""What passes between the engine and a task in a training step, and the phases that steps belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from torch import Tensor, nn

from restore.core.settings import OptimizerSettings

Batch = dict[str, Tensor]
"""Named tensors with a batch axis first."""

Terms = Mapping[str, Tensor]
"""Named scalar loss terms; their sum is back-propagated and each is logged."""


class Loss(Protocol):
    """Named terms of one loss."""

    def __call__(self, prediction: Any, batch: Batch) -> Terms:
        """Scalar terms for a prediction and the batch that it was made from."""
        ...


class Modules(Mapping[str, nn.Module]):
    """Networks by name, as items or as attributes: ``modules.generator(x)``."""

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        self._modules = dict(modules)

    def __getitem__(self, name: str) -> nn.Module:
        return self._modules[name]

    def __getattr__(self, name: str) -> nn.Module:
        try:
            module: nn.Module = self.__dict__["_modules"][name]
        except KeyError:
            raise AttributeError(f"no network {name!r}") from None
        return module

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class Turn(Protocol):
    """One optimizer's share of a training step.

    ``turn("generator", closure)`` calls ``closure(modules)`` with that optimizer's networks trainable and every other
    one frozen, back-propagates the sum of the returned terms and steps. A closure reaches its networks only by calling
    them: an attribute or a part of a network that is spread over processes would skip the gradient's averaging.
    """

    def __call__(self, name: str, closure: Callable[[Modules], Terms]) -> None:
        """Run one turn of the optimizer called ``name``."""
        ...

    def log(self, **numbers: Tensor | float) -> None:
        """Record numbers that are no loss, such as the mean score of real pictures."""
        ...


@dataclass(frozen=True)
class Step:
    """Where in the run a training step stands."""

    phase: str
    epoch: int
    """Epoch of the run, from 0."""
    run_step: int
    """Optimizer steps done since the run began."""
    phase_step: int
    """Optimizer steps done since the phase began."""
    share: float
    """Share of the phase that is done, in [0, 1)."""


@dataclass(frozen=True)
class Phase:
    """A stretch of a run with its own optimizers, schedules and best weights."""

    name: str
    epochs: int
    optimizers: Mapping[str, OptimizerSettings]
    """By name; an optimizer owns the network of its name unless ``owns`` says otherwise."""
    owns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Optimizer name to the names of the networks that it trains."""
    start: Literal["best", "last"] = "best"
    """Which weights of the phase before this one starts from."""
    monitor: str | None = None
    """Metric by which the phase's best weights are chosen; none: its last weights are its best."""

    def owned_by(self, optimizer: str) -> tuple[str, ...]:
        """Names of the networks that one optimizer trains."""
        return self.owns.get(optimizer, (optimizer,))
