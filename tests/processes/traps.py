"""Watch every optimizer step of a run, and of runs with one rule broken, as one of several processes.

Beside each step the gradient is computed by hand: the raw networks on this process's micro-batches, averaged over
micro-batches and processes without any of the engine's means.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.distributed
import toy_tasks
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from restore.core.dataset import Batch
from restore.core.networks import Networks
from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.training.networks import WrappedNetworks
from restore.core.training.optimize import PhaseOptimizers
from restore.core.training.trainer import Trainer
from restore.core.training_step import LossFunction, TrainStep


class Watched(toy_tasks.TwoPhases):
    """A task that computes every gradient a second time, by hand."""

    newest: Watched
    """The task of the run in progress."""

    def __init__(self, settings: toy_tasks.ToySettings) -> None:
        super().__init__(settings)
        self.by_hand: dict[str, list[Tensor]] = {}
        self.raw: dict[str, nn.Module] = {}
        self.steps: list[dict[str, Any]] = []
        Watched.newest = self

    def networks(self) -> dict[str, nn.Module]:
        return self._kept(super().networks())

    def training_networks(self) -> dict[str, nn.Module]:
        return self._kept(super().training_networks())

    def _kept(self, networks: dict[str, nn.Module]) -> dict[str, nn.Module]:
        self.raw |= networks
        return networks

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        super().train_step(batch, _Beside(self, step))

    @classmethod
    def stepped(cls, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Compare the gradient that an optimizer is about to use."""
        self = cls.newest
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        name = next(name for name, net in self.raw.items() if any(p is parameters[0] for p in net.parameters()))
        micro_batches = self.by_hand.pop(name, [])
        expected = torch.stack(micro_batches).mean(0)
        torch.distributed.all_reduce(expected)
        expected /= torch.distributed.get_world_size()
        gradient = torch.cat([p.grad.flatten() for p in parameters])
        self.steps.append(
            {
                "optimizer": name,
                "micro_batches": len(micro_batches),
                "lr": optimizer.param_groups[0]["lr"],
                "error": float((gradient - expected).norm() / expected.norm()),
                "apart": _apart(gradient),
            }
        )


class _Beside(TrainStep):
    """A step that first does the same by hand."""

    def __init__(self, task: Watched, step: TrainStep) -> None:
        super().__init__(step.phase, step.epoch, step.run_step, step.phase_step, step.progress)
        self.__dict__.update(task=task, step=step)

    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        terms = loss_fn(Networks(self.task.raw))
        gradients = torch.autograd.grad(sum(terms.values()), list(self.task.raw[name].parameters()))
        self.task.by_hand.setdefault(name, []).append(torch.cat([gradient.flatten() for gradient in gradients]))
        self.step.optimize(name, loss_fn)

    def log(self, **values: Tensor | float) -> None:
        self.step.log(**values)


def _apart(tensor: Tensor) -> float:
    """How far the processes are from each other."""
    low, high = tensor.clone(), tensor.clone()
    torch.distributed.all_reduce(low, torch.distributed.ReduceOp.MIN)
    torch.distributed.all_reduce(high, torch.distributed.ReduceOp.MAX)
    return float((high - low).norm() / tensor.norm())


# --- rules, broken ------------------------------------------------------------------------------------------------


def raw_where_trained() -> Any:
    """Networks are called without what averages them, as one would be that lives inside a loss."""
    return "for_optimizer", WrappedNetworks, lambda self, _: Networks(self.raw)


def trainable_for_another() -> Any:
    """The generator's backward pass leaves gradients in the discriminator."""
    return "only_trainable", WrappedNetworks, lambda *_: contextlib.nullcontext()


def zeroed_before_each_backward() -> Any:
    """Gradients of earlier micro-batches are wiped."""
    original = PhaseOptimizers.optimize

    def optimize(self: PhaseOptimizers, name: str, loss_fn: LossFunction) -> None:
        self.by_name[name].optimizer.zero_grad()
        original(self, name, loss_fn)

    return "optimize", PhaseOptimizers, optimize


BROKEN = (raw_where_trained, trainable_for_another, zeroed_before_each_backward)


@contextlib.contextmanager
def broken(rule: Callable[[], Any] | None) -> Iterator[None]:
    """Run a block with one of the engine's methods replaced."""
    if rule is None:
        yield
        return
    name, owner, replacement = rule()
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


def watch(out: Path, rule: Callable[[], Any] | None) -> dict[str, Any]:
    """Train with a rate that falls, two micro-batches a step, and an epoch that ends in the middle of a step."""
    optimizer = OptimizerSettings(name="sgd", lr=1e-2, momentum=0, schedule=ScheduleSettings(name="linear"))
    settings = toy_tasks.toy_settings(
        out, name=rule.__name__ if rule else "right", epochs=3, batch_size=8, accumulate=2, samples_per_epoch=28,
        batch_norm=False, optimizer=optimizer, workers=0, sample_images=0,
    )  # fmt: skip
    hook = register_optimizer_step_pre_hook(Watched.stepped)
    failure = None
    with broken(rule):
        try:
            Trainer(Watched, settings, name="toy/toy").fit()
        except RuntimeError as error:  # as good a way of being noticed as any
            failure = str(error)
    hook.remove()
    weights = torch.cat([p.detach().flatten() for net in Watched.newest.raw.values() for p in net.parameters()])
    return {"steps": Watched.newest.steps, "failure": failure, "weights_apart": _apart(weights)}


def main(out: str) -> None:
    """Write ``seen.json`` to the folder ``out``."""
    seen = {rule.__name__ if rule else "right": watch(Path(out), rule) for rule in (None, *BROKEN)}
    if os.environ["RANK"] == "0":
        (Path(out) / "seen.json").write_text(json.dumps(seen))
