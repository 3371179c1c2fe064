"""A task under examination, with what its checks share: one short run that was watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from restore.core.chance import seed_everything
from restore.core.events import Event, StepDone
from restore.core.inference.canvas import exact_scale, scaled
from restore.core.settings import RunSettings, Settings
from restore.core.steps import Batch, Modules, Step, Terms, Turn
from restore.core.task import Task
from restore.core.training.trainer import Trainer
from restore.core.weights.files import open_weights


class ContractBroken(AssertionError):
    """A task does not do what every task must; the message says which part and how."""


def require(holds: object, message: str) -> None:
    """Raise :class:`ContractBroken` unless something holds."""
    if not holds:
        raise ContractBroken(message)


class TaskEntry(Protocol):
    """What the registry knows about a task."""

    @property
    def full_name(self) -> str:
        """As ``srgan/srgan``."""
        ...

    @property
    def details(self) -> Mapping[str, Any]:
        """What was registered beside the reference."""
        ...

    def load(self) -> Any:
        """The task's class."""
        ...

    def locate(self, detail: str) -> Any:
        """The object that a detail refers to."""
        ...


@dataclass(frozen=True)
class ObservedTurn:
    """One turn of a watched run."""

    phase: str
    optimizer: str
    owned: tuple[str, ...]
    unused: tuple[str, ...]
    """Trainable parameters of the turn on which its loss does not depend."""
    changed: frozenset[str]
    """Networks with a parameter that is another after the turn."""
    calls: Mapping[str, int]
    """How often the turn called each network that it owns."""


class Subject:
    """One task, its miniature settings and a run of them."""

    def __init__(self, entry: TaskEntry, folder: Path) -> None:
        self.entry = entry
        self.name = entry.full_name
        self.folder = folder
        self.task_type: type[Task] = entry.load()
        self.learns = bool(entry.details.get("weights", True))
        """Whether it is registered as a task with weights."""
        self.turns: list[ObservedTurn] = []
        """Of :attr:`run`."""

    @cached_property
    def settings(self) -> RunSettings:
        """The settings of every run here."""
        return self.task_type.miniature(out=self.folder).decided()

    def task(self, settings: RunSettings | None = None, options: Settings | None = None) -> Task:
        """The task, with networks that are the same each time."""
        seed_everything(self.settings.seed)
        task = self.task_type(settings or self.settings, options)
        assert task.modules is not None  # they are built on first use: now, from this seed
        return task

    def train(self, name: str, *, resume: Path | None = None, stop_at: int | None = None, **changes: Any) -> Path:
        """Folder of a run, killed when step ``stop_at`` is done and before it is saved."""
        settings = self.settings.model_copy(update={"name": name, **changes})
        task = self.task(settings)
        if name == "whole":
            self._watch(task)
        trainer = Trainer(task, settings, name=self.name, listeners=[_killer(stop_at)], resume=resume)
        with suppress(_Killed):
            trainer.fit()
        return self.folder / name

    @property
    def run(self) -> Path:
        """Folder of a run that nobody disturbed. Raises what broke it, each time it is asked for."""
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    @cached_property
    def _outcome(self) -> Path | Exception:
        try:
            return self.train("whole", checkpoint_every="1")
        except Exception as error:  # noqa: BLE001  a second attempt would only find the folder of the first
            return error

    def networks(self, options: Settings | None = None) -> tuple[Task, Modules]:
        """The task as it is used: of the run's weights, or, where there is nothing to learn, as it is."""
        if self.learns:
            return open_weights(self.run / "best.safetensors", lambda *_: self.task_type, options)
        task = self.task(options=options)
        return task, Modules(task.exported)

    def predict_options(self) -> Settings | None:
        """What ``restore predict`` gives the task when no option was typed."""
        if "predict" not in self.entry.details:
            return None
        options = self.entry.locate("predict")()
        assert isinstance(options, Settings)
        return options

    def _watch(self, task: Task) -> None:
        own_step = task.train_step

        def train_step(batch: Batch, turn: Turn, step: Step) -> None:
            own_step(batch, _WatchedTurn(turn, task, step, self.turns), step)

        task.train_step = train_step  # type: ignore[method-assign]


class _Killed(BaseException):
    """Stands in for a process that is killed: nothing is saved on the way out."""


def _killer(stop_at: int | None) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.run_step == stop_at:
            raise _Killed

    return listen


class _WatchedTurn:
    """A turn that notes what depends on what, and what moved."""

    def __init__(self, turn: Turn, task: Task, step: Step, seen: list[ObservedTurn]) -> None:
        self.turn, self.task, self.seen = turn, task, seen
        self.phase = next(phase for phase in task.phases() if phase.name == step.phase)

    def __call__(self, name: str, closure: Callable[[Modules], Terms]) -> None:
        owned, unused = self.phase.owned_by(name), list[str]()
        calls = dict.fromkeys(owned, 0)

        def watched(modules: Modules) -> Terms:
            with ExitStack() as hooks:
                for network in owned:
                    hook = self.task.modules[network].register_forward_hook(partial(_count, calls, network))
                    hooks.callback(hook.remove)
                terms = closure(modules)
            parameters = {
                f"{network}.{key}": parameter
                for network in owned
                for key, parameter in self.task.modules[network].named_parameters()
                if parameter.requires_grad
            }
            total = torch.stack([term.float() for term in terms.values()]).sum()
            gradients: Sequence[Tensor | None] = torch.autograd.grad(
                total, list(parameters.values()), retain_graph=True, allow_unused=True
            )
            unused.extend(key for key, gradient in zip(parameters, gradients, strict=True) if gradient is None)
            return terms

        before = self._parameters()
        self.turn(name, watched)
        after = self._parameters()
        changed = {network for network in after if not _all_equal(after[network], before[network])}
        self.seen.append(ObservedTurn(self.phase.name, name, owned, tuple(unused), frozenset(changed), calls))

    def log(self, **numbers: Tensor | float) -> None:
        self.turn.log(**numbers)

    def _parameters(self) -> dict[str, list[Tensor]]:
        return {name: [p.detach().clone() for p in network.parameters()] for name, network in self.task.modules.items()}


def _count(calls: dict[str, int], network: str, *_: object) -> None:
    calls[network] += torch.is_grad_enabled()


def _all_equal(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(bool((one == other).all()) for one, other in zip(first, second, strict=True))


def random_inputs(task: Task, height: int, width: int, seed: int = 0) -> dict[str, Tensor]:
    """Input planes (C, H, W) as the task declares them, drawn from their range; black or white where not smooth."""
    generator = torch.Generator().manual_seed(seed)
    planes = {}
    for name, plane in task.inputs.items():
        shape = (plane.channels, *(scaled(length, exact_scale(plane)) for length in (height, width)))
        drawn = torch.rand(shape, generator=generator)
        drawn = drawn if plane.smooth else drawn.round()
        planes[name] = plane.low + (plane.high - plane.low) * drawn
    return planes
