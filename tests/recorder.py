"""A training step that shows what a task asks for, without taking it."""

from __future__ import annotations

import torch
from built import all_networks_of, networks_of
from torch import Tensor

from restore.core.task import Task
from restore.core.training_step import LossFunction, TrainStep


class Recorder(TrainStep):
    """Keeps the gradients instead of stepping: of the networks that are trained and, wrongly, of any other."""

    def __init__(self, task: Task, phase: str, *, run_step: int = 0, progress: float = 0.0) -> None:
        super().__init__(phase, 0, run_step, 0, progress)
        self.task = task
        self.networks = all_networks_of(task)
        self.terms: dict[str, dict[str, Tensor]] = {}
        self.gradients: dict[str, dict[str, Tensor | None]] = {}
        self.logged: dict[str, float] = {}

    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        (trained,) = {phase.networks_of(name) for phase in self.task.phases() if name in phase.optimizers}
        for other, network in networks_of(self.task).items():
            network.zero_grad()
            network.requires_grad_(other in trained)
        terms = loss_fn(self.networks)
        assert all(term.dim() == 0 for term in terms.values())
        torch.stack(list(terms.values())).sum().backward()
        self.terms[name] = {term: value.detach() for term, value in terms.items()}
        self.gradients[name] = {
            f"{network}.{key}": parameter.grad
            for network, module in networks_of(self.task).items()
            for key, parameter in module.named_parameters()
        }

    def log(self, **values: Tensor | float) -> None:
        self.logged |= {name: float(torch.as_tensor(value).detach().mean()) for name, value in values.items()}
