"""A task under test, with one short observed run that its checks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore.core.dataset import Batch
from restore.core.errors import Interrupted
from restore.core.events import Event, StepDone
from restore.core.inference.canvas import exact_scale, scale_side
from restore.core.method import Method
from restore.core.networks import Networks
from restore.core.settings import RunSettings, Settings
from restore.core.task import Task
from restore.core.training.trainer import Trainer
from restore.core.training_step import LossFunction, Phase, Terms, TrainStep
from restore.core.weights.files import open_method, open_weights


class ContractBroken(AssertionError):
    """A task violates the contract; the message says where and how."""


class NotApplicable(Exception):
    """A check says nothing about this plugin; the message says why."""


def require(holds: object, message: str) -> None:
    """Raise :class:`ContractBroken` with a message unless ``holds`` is true."""
    if not holds:
        raise ContractBroken(message)


class RegisteredEntry(Protocol):
    """What the registry knows about something registered: a result of ``registry.entry``."""

    @property
    def full_name(self) -> str:
        """Full name, such as ``srgan/srgan``."""
        ...

    @property
    def references(self) -> Mapping[str, str]:
        """Other registered references, such as ``settings``: ``module:attribute`` by field."""
        ...

    @property
    def spec(self) -> Any:
        """The specification, such as a ``TaskSpec``."""
        ...

    def load(self) -> Any:
        """Import and return the object, such as the class of a task."""
        ...

    def locate(self, field: str, /) -> Any:
        """Import and return the object that a field refers to."""
        ...


@dataclass(frozen=True)
class ObservedUpdate:
    """One call of ``step.optimize`` in an observed run."""

    phase: str
    optimizer: str
    unused: tuple[str, ...]
    """Trainable parameters of the optimizer that its loss does not depend on."""
    changed: frozenset[str]
    """Networks with a changed parameter."""
    calls: Mapping[str, int]
    """Number of calls of each network that the optimizer trains, by the loss function."""


class TaskUnderTest:
    """A method, its tiny settings and, if it trains, a run with them.

    Args:
        entry: registration of the task.
        folder: an empty folder for runs.
        data: a folder for ``--data`` in the layout that the task reads; None: the checks make one of plain images.
    """

    def __init__(self, entry: RegisteredEntry, folder: Path, data: Path | None = None) -> None:
        self.entry = entry
        self.name = entry.full_name
        self.folder = folder
        self.data = data
        self.method_type: type[Method] = entry.load()
        self.learns = bool(entry.spec.trains)
        """Whether the method is registered as a task that trains."""
        self.updates: list[ObservedUpdate] = []
        """Updates of :attr:`run`."""

    @property
    def task_type(self) -> type[Task]:
        """Class of the task. Raises ContractBroken if it is not a task."""
        if not issubclass(self.method_type, Task):
            raise ContractBroken(f"{self.method_type!r} is no subclass of Task")
        return self.method_type

    @cached_property
    def settings(self) -> RunSettings:
        """The tiny settings, which all runs use."""
        return self.task_type.tiny_settings(out=self.folder).resolved()

    def task(self) -> Task:
        """Build the task from the tiny settings."""
        return self.task_type(self.settings)

    def train(
        self,
        name: str,
        *,
        settings: RunSettings | None = None,
        resume: Path | None = None,
        stop_at: int | None = None,
        **changes: Any,
    ) -> Path:
        """Train and return the run folder.

        Args:
            name: name of the run folder.
            settings: settings of the run; None: the tiny ones.
            resume: run folder to resume.
            stop_at: kill the run after this step, before it is saved.
            changes: settings that differ from the tiny ones.
        """
        settings = (settings or self.settings).model_copy(update={"name": name, **changes})
        task_type = _watch(self.task_type, self.updates) if name == "whole" else self.task_type
        trainer = Trainer(task_type, settings, name=self.name, listeners=[_killer(stop_at)], resume=resume)
        try:
            with suppress(_Killed):
                trainer.fit()
        except Interrupted as interrupted:
            raise KeyboardInterrupt from interrupted
        return self.folder / name

    @property
    def run(self) -> Path:
        """Folder of an uninterrupted run. Raises the error of the run on each access."""
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    @property
    def trains(self) -> bool:
        """Whether the method trains; makes the run if so, and raises its error."""
        return self.learns and self.run.is_dir()

    @cached_property
    def _outcome(self) -> Path | Exception:
        try:
            return self.train("whole", checkpoint_every="1")
        except Exception as error:  # noqa: BLE001  a second attempt would fail on the folder of the first
            return error

    def open(self, predict: Settings | None = None) -> tuple[Method, Networks]:
        """Open the method for prediction, with the weights of the run if it trains."""
        if self.learns:
            return open_weights(self.run / "best.safetensors", lambda *_: self.method_type, predict=predict)
        return open_method(self.method_type, predict=predict)

    def predict_options(self) -> Settings | None:
        """The options of ``restore predict`` when no flag is given."""
        return self.method_type.predict_options_type() if "predict" in self.entry.references else None


def _watch(task_type: type[Task], seen: list[ObservedUpdate]) -> type[Task]:
    """Return a subclass of the task that records its updates."""

    class Watched(task_type):  # type: ignore[valid-type, misc]
        def train_step(self, batch: Batch, step: TrainStep) -> None:
            phase = next(phase for phase in self.phases() if phase.name == step.phase)
            position = step.phase, step.epoch, step.run_step, step.phase_step, step.progress
            super().train_step(batch, _WatchedStep(*position, step, phase, seen))

    return Watched


class _Killed(BaseException):
    """Simulates a killed process: nothing is saved."""


def _killer(stop_at: int | None) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.run_step == stop_at:
            raise _Killed

    return listen


@dataclass(frozen=True)
class _WatchedStep(TrainStep):
    """A step that records which parameters a loss depends on and which networks change."""

    step: TrainStep
    within: Phase
    seen: list[ObservedUpdate]

    @override
    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        trained, unused, before = self.within.networks_of(name), list[str](), dict[str, list[Tensor]]()
        calls, networks = dict.fromkeys(trained, 0), dict[str, nn.Module]()

        def watched(nets: Networks) -> Terms:
            networks.update(nets)
            before.update(_parameters(networks))
            with ExitStack() as hooks:
                for network in trained:
                    hook = nets[network].register_forward_hook(partial(_count, calls, network))
                    hooks.callback(hook.remove)
                terms = loss_fn(nets)
            parameters = {
                f"{network}.{key}": parameter
                for network in trained
                for key, parameter in nets[network].named_parameters()
                if parameter.requires_grad
            }
            total = torch.stack([term.float() for term in terms.values()]).sum()
            gradients: Sequence[Tensor | None] = torch.autograd.grad(
                total, list(parameters.values()), retain_graph=True, allow_unused=True
            )
            unused.extend(key for key, gradient in zip(parameters, gradients, strict=True) if gradient is None)
            return terms

        self.step.optimize(name, watched)
        after = _parameters(networks)
        changed = {network for network in after if not _all_equal(after[network], before[network])}
        self.seen.append(ObservedUpdate(self.phase, name, tuple(unused), frozenset(changed), calls))

    @override
    def log(self, **values: Tensor | float) -> None:
        self.step.log(**values)


def _parameters(networks: Mapping[str, nn.Module]) -> dict[str, list[Tensor]]:
    return {name: [p.detach().clone() for p in network.parameters()] for name, network in networks.items()}


def _count(calls: dict[str, int], network: str, *_: object) -> None:
    calls[network] += torch.is_grad_enabled()


def _all_equal(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(bool((one == other).all()) for one, other in zip(first, second, strict=True))


def random_inputs(method: Method, height: int, width: int, seed: int = 0) -> dict[str, Tensor]:
    """Draw input tensors (C, H, W) from the ranges that a method declares; only black or white if not smooth.

    Args:
        method: the method.
        height: height of the main input.
        width: width of the main input.
        seed: seed of the values.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs = {}
    for name, spec in method.inputs.items():
        shape = (spec.channels, *(scale_side(length, exact_scale(spec)) for length in (height, width)))
        drawn = torch.rand(shape, generator=generator)
        drawn = drawn if spec.smooth else drawn.round()
        inputs[name] = spec.low + (spec.high - spec.low) * drawn
    return inputs
