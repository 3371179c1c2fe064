"""Train a task with its tiny settings as one of several processes: ``one_of_two MODULE:CLASS NAME SETTINGS-AS-JSON``.

The check of two processes starts it; it fails if the networks of the processes differ at the end.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pkgutil import resolve_name

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore.core.dataset import Batch
from restore.core.networks import Networks
from restore.core.runtime.accelerator import end_process_group
from restore.core.runtime.processes import report_failure
from restore.core.task import Task
from restore.core.training.trainer import Trainer
from restore.core.training_step import LossFunction, Terms, TrainStep


@dataclass(frozen=True)
class _WatchedStep(TrainStep):
    """A step that remembers the networks that loss functions are given."""

    step: TrainStep
    seen: dict[str, nn.Module]

    @override
    def optimize(self, name: str, loss_fn: LossFunction) -> None:
        def watched(nets: Networks) -> Terms:
            self.seen.update(nets)
            return loss_fn(nets)

        self.step.optimize(name, watched)

    @override
    def log(self, **values: Tensor | float) -> None:
        self.step.log(**values)


def _train(where: str, name: str, changes: str) -> None:
    """Train, then compare the parameters of all processes."""
    task_type: type[Task] = resolve_name(where)
    seen: dict[str, nn.Module] = {}

    class Watched(task_type):  # type: ignore[valid-type, misc]
        def train_step(self, batch: Batch, step: TrainStep) -> None:
            position = step.phase, step.epoch, step.run_step, step.phase_step, step.progress
            super().train_step(batch, _WatchedStep(*position, step, seen))

    Trainer(Watched, task_type.tiny_settings(**json.loads(changes)), name=name).fit()
    # Buffers, such as running means, belong to each process alone.
    mine = torch.cat([p.detach().flatten().cpu() for key in sorted(seen) for p in seen[key].parameters()])
    seen.clear()
    low, high = mine.clone(), mine.clone()
    torch.distributed.all_reduce(low, torch.distributed.ReduceOp.MIN)
    torch.distributed.all_reduce(high, torch.distributed.ReduceOp.MAX)
    if not torch.equal(low, high):
        apart = float((high - low).max())
        raise RuntimeError(
            f"the networks of two processes differ by up to {apart:.2g}: a loss function must only call networks, and "
            "call them through its argument"
        )
    end_process_group()


if __name__ == "__main__":
    try:
        _train(*sys.argv[1:])
    except Exception as error:  # noqa: BLE001 - whatever a process dies of is its own words
        report_failure(f"{type(error).__name__}: {error}", 1)
        sys.exit(1)
