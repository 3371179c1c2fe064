"""What trains silently wrong on several processes elsewhere: two processes, every step compared with hand work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from built import networks_of
from toy_tasks import TwoPhases, toy_settings

from restore.core.runtime.accelerator import make_accelerator
from restore.core.training.networks import WrappedNetworks
from restore.core.training.optimize import PhaseOptimizers

EXACT = 1e-5
STEPS = 3
"""Of an epoch: 28 samples in steps of 8; the last 4 are left out."""


@pytest.fixture(scope="module")
def seen(two_processes: Any) -> dict[str, Any]:
    """What was measured of each run: the one as it should be, and those with one rule broken."""
    found: dict[str, Any] = json.loads((two_processes.folder / "seen.json").read_text())
    return found


@pytest.fixture(scope="module")
def steps(seen: dict[str, Any]) -> list[dict[str, Any]]:
    """Every optimizer step of the run as it should be, of the adversarial phase discriminator and generator in turn."""
    assert seen["right"]["failure"] is None
    found: list[dict[str, Any]] = seen["right"]["steps"]
    return found


def noticed(run: dict[str, Any], optimizer: str) -> bool:
    """Whether a broken rule shows: the reducer complains, or a gradient is another than the one by hand."""
    return bool(run["failure"]) or worst(run, optimizer) > 100 * EXACT


def worst(run: dict[str, Any], optimizer: str, what: str = "error") -> float:
    return max(step[what] for step in run["steps"] if step["optimizer"] == optimizer)


def test_a_discriminator_that_is_trained_is_averaged_over_processes(seen: dict[str, Any]) -> None:
    assert worst(seen["right"], "discriminator", "apart") == 0
    assert worst(seen["right"], "discriminator") < EXACT
    assert noticed(seen["raw_where_trained"], "discriminator")
    assert seen["raw_where_trained"]["weights_apart"] > 0


def test_gradients_of_earlier_micro_batches_are_kept(seen: dict[str, Any]) -> None:
    for optimizer in ("discriminator", "net"):
        assert worst(seen["right"], optimizer) < EXACT
        assert noticed(seen["zeroed_before_each_backward"], optimizer)


def test_a_step_counts_once_however_many_networks_it_moves(steps: list[dict[str, Any]]) -> None:
    order = ["net"] * STEPS + ["discriminator", "net"] * 2 * STEPS
    assert [step["optimizer"] for step in steps] == order


def test_the_generators_loss_leaves_nothing_in_the_discriminator(seen: dict[str, Any]) -> None:
    assert worst(seen["right"], "discriminator") < EXACT
    assert noticed(seen["trainable_for_another"], "discriminator")


def test_a_frozen_discriminator_is_not_called_through_what_averages_it(seen: dict[str, Any]) -> None:
    assert worst(seen["right"], "net") < EXACT
    assert seen["right"]["weights_apart"] == 0
    # calling it so does no harm in this order, but may in another: the rule itself is looked at too
    raw, wrapped = ({name: torch.nn.Identity() for name in ("net", "discriminator")} for _ in range(2))
    networks = WrappedNetworks(raw, wrapped).for_optimizer(("net",))
    assert networks["net"] is wrapped["net"]
    assert networks["discriminator"] is raw["discriminator"]


def test_a_schedule_moves_once_a_step_whatever_the_number_of_processes(steps: list[dict[str, Any]]) -> None:
    for optimizer, phase_steps in (("discriminator", 2 * STEPS), ("net", STEPS)):
        rates = [step["lr"] for step in steps if step["optimizer"] == optimizer][:phase_steps]
        assert rates == pytest.approx([1e-2 * (1 - done / phase_steps) for done in range(phase_steps)])


def test_no_gradient_crosses_the_end_of_an_epoch(steps: list[dict[str, Any]]) -> None:
    assert {step["micro_batches"] for step in steps} == {2}
    # a gradient that had waited over the end of an epoch would show in the first step of the next
    assert max(step["error"] for step in steps) < EXACT


def test_one_optimizer_is_finished_before_the_other_scales_its_loss() -> None:
    """In fp16, by scalers that say when they are asked."""
    calls: list[str] = []

    class Scaler:
        def scale(self, total: torch.Tensor) -> torch.Tensor:
            calls.append("scale")
            return total

        def unscale_(self, _: torch.optim.Optimizer) -> None:
            calls.append("unscale")

        def step(self, optimizer: torch.optim.Optimizer) -> None:
            calls.append("step")
            optimizer.step()

        def update(self) -> None:
            calls.append("update")

    settings = toy_settings(Path())
    toy = TwoPhases(settings)
    accelerator = make_accelerator(settings)
    networks = WrappedNetworks(networks_of(toy), networks_of(toy))
    optimizers = PhaseOptimizers(
        accelerator, networks, toy.phases()[1], precision="fp32", warn=pytest.fail, max_skipped=1
    )
    optimizers.scalers = {name: Scaler() for name in optimizers.by_name}  # type: ignore[misc]  # stand-ins
    image = torch.rand(4, 1, 8, 8)
    step = optimizers.begin_step()
    with accelerator.accumulate(*networks_of(toy).values()):
        toy.train_step({"input": image, "target": 1 - image}, step)
    assert calls == ["scale", "unscale", "step", "update"] * 2
