"""The gradients of one adversarial step of each kind, in this process or as one of several."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import toy_tasks
from built import networks_of

from restore.core.optimizer_settings import OptimizerSettings
from restore.core.runtime.accelerator import make_accelerator
from restore.core.training.dataloading import make_plan
from restore.core.training.networks import WrappedNetworks
from restore.core.training.optimize import PhaseOptimizers

BATCH = 16


def gradients(task: str, accumulate: int) -> dict[str, torch.Tensor]:
    """Gradient of each network, as its optimizer sees it."""
    torch.manual_seed(0)
    still = OptimizerSettings(name="sgd", lr=1e-12, momentum=0)
    settings = toy_tasks.toy_settings(
        Path(), accumulate=accumulate, batch_size=BATCH, batch_norm=False, optimizer=still
    )
    toy = getattr(toy_tasks, task)(settings)
    accelerator = make_accelerator(settings)
    wrapped = {name: accelerator.prepare_model(module) for name, module in networks_of(toy).items()}
    networks = WrappedNetworks(networks_of(toy), wrapped)
    optimizers = PhaseOptimizers(accelerator, networks, toy.phases()[1], precision="fp32", warn=print, max_skipped=1)
    seen: dict[str, torch.Tensor] = {}
    for name, scheduled in optimizers.by_name.items():
        scheduled.optimizer.register_step_pre_hook(
            lambda *_, name=name: seen.update(
                {name: torch.cat([p.grad.flatten() for p in networks.raw[name].parameters()])}
            )
        )
    images = torch.rand(BATCH, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    plan = make_plan(settings, BATCH, processes=accelerator.num_processes)
    step = optimizers.begin_step()
    for keys in list(plan.keys(0, 0, accelerator.process_index))[: plan.micro_batches]:
        part = images[[sample for _, sample, _ in keys]]
        with accelerator.accumulate(*wrapped.values()):
            toy.train_step({"input": part, "target": 1 - part}, step)
    return seen


def every_gradient() -> dict[str, torch.Tensor]:
    """Gradients by task, number of micro-batches and network."""
    return {
        f"{task}/{accumulate}/{name}": gradient
        for task in ("TwoPhases", "PenaltyFixedMix")
        for accumulate in (1, 2)
        for name, gradient in gradients(task, accumulate).items()
    }


def main(file: str) -> None:
    """Write them to FILE.RANK."""
    torch.save(every_gradient(), f"{file}.{os.environ['RANK']}")
