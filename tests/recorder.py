"""A turn that shows what a training step asks for, without taking it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from restore.core.steps import Modules, Terms
from restore.core.task import Task


class Recorder:
    """Keeps the gradients instead of stepping: of the networks in turn and, wrongly, of any other."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.terms: dict[str, dict[str, Tensor]] = {}
        self.gradients: dict[str, dict[str, Tensor | None]] = {}
        self.logged: dict[str, float] = {}

    def __call__(self, name: str, closure: Callable[[Modules], Terms]) -> None:
        for other, module in self.task.modules.items():
            module.zero_grad()
            module.requires_grad_(other == name)
        terms = closure(Modules(self.task.modules))
        torch.stack(list(terms.values())).sum().backward()
        self.terms[name] = {term: value.detach() for term, value in terms.items()}
        self.gradients[name] = {
            f"{network}.{key}": parameter.grad
            for network, module in self.task.modules.items()
            for key, parameter in module.named_parameters()
        }

    def log(self, **numbers: Tensor | float) -> None:
        self.logged |= {name: float(value) for name, value in numbers.items()}
