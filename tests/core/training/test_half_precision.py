"""fp16: losses are scaled so that small gradients stay numbers, those of each optimizer by a scale of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from built import networks_of
from torch import Tensor
from toy_tasks import TwoPhases, toy_settings

from restore.core.optimizer_settings import OptimizerSettings
from restore.core.runtime.accelerator import make_accelerator
from restore.core.training import checkpointing
from restore.core.training.networks import WrappedNetworks
from restore.core.training.optimize import PhaseOptimizers
from restore.core.training.progress import Progress

STILL = OptimizerSettings(name="sgd", lr=1e-12, momentum=0)


class AdversarialRun:
    """The adversarial phase of a toy, whose networks all but stand still."""

    def __init__(self, precision: str, accumulate: int = 2) -> None:
        torch.manual_seed(0)
        settings = toy_settings(Path(), accumulate=accumulate, batch_norm=False, optimizer=STILL)
        self.toy = TwoPhases(settings)
        self.networks = WrappedNetworks(networks_of(self.toy), networks_of(self.toy))
        self.accelerator = make_accelerator(settings)
        self.optimizers = PhaseOptimizers(
            self.accelerator, self.networks, self.toy.phases()[1],
            precision=precision, warn=pytest.fail, max_skipped=9,
        )  # fmt: skip
        self.gradients: dict[str, list[Tensor]] = {name: [] for name in self.optimizers.by_name}
        for name, scheduled in self.optimizers.by_name.items():
            scheduled.optimizer.register_step_pre_hook(lambda *_, name=name: self._keep(name))

    def scale(self, **changes: float) -> None:
        """Set something of every scaler; low scales by default, with which nothing overflows."""
        for scaler in self.optimizers.scalers.values():
            scaler.load_state_dict({**scaler.state_dict(), "scale": 2.0**8, **changes})

    def _keep(self, name: str) -> None:
        self.gradients[name].append(torch.cat([p.grad.flatten() for p in self.networks.raw[name].parameters()]))

    def step(self, seed: int) -> None:
        """One optimizer step of each."""
        images = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
        step = self.optimizers.begin_step()
        for part in images.chunk(self.accelerator.gradient_accumulation_steps):
            with self.accelerator.accumulate(*networks_of(self.toy).values()):
                self.toy.train_step({"input": part, "target": 1 - part}, step)

    def scales(self) -> dict[str, float]:
        return {name: scaler.get_scale() for name, scaler in self.optimizers.scalers.items()}


def test_gradients_are_those_of_fp32_whatever_the_scales_do_meanwhile() -> None:
    exact, half = AdversarialRun("fp32"), AdversarialRun("fp16")
    half.scale(growth_interval=1)  # they grow at every step
    for seed in range(3):
        exact.step(seed)
        half.step(seed)
    assert half.scales() == {"net": 2.0**11, "discriminator": 2.0**11}
    for name, expected in exact.gradients.items():
        for mine, right in zip(half.gradients[name], expected, strict=True):
            assert (mine - right).norm() < 0.02 * right.norm()


def test_an_overflow_of_one_optimizer_lowers_its_own_scale_alone() -> None:
    adversarial_run = AdversarialRun("fp16", accumulate=1)
    adversarial_run.scale()
    discriminator = adversarial_run.optimizers.scalers["discriminator"]
    discriminator.load_state_dict({**discriminator.state_dict(), "scale": 2.0**40})
    adversarial_run.step(0)
    assert adversarial_run.scales() == {"net": 2.0**8, "discriminator": 2.0**39}
    assert [len(adversarial_run.gradients[name]) for name in ("net", "discriminator")] == [1, 0]


def test_scales_are_in_checkpoints() -> None:
    adversarial_run = AdversarialRun("fp16", accumulate=1)
    adversarial_run.scale(growth_interval=2)
    adversarial_run.step(0)
    adversarial_run.optimizers.scalers["net"].update(2.0**12)
    taken = checkpointing.take(
        adversarial_run.accelerator, adversarial_run.networks, adversarial_run.optimizers, Progress(), {}
    )
    other = AdversarialRun("fp16", accumulate=1)
    checkpointing.restore_optimizers(taken, other.optimizers)
    assert other.scales() == adversarial_run.scales() == {"net": 2.0**12, "discriminator": 2.0**8}
    other.step(1)  # the second good step, so that the discriminator's scale grows
    assert other.scales()["discriminator"] == 2.0**9
