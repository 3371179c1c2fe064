"""Learning rates are functions of how much of the phase is done."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from restore.core.errors import UsageError
from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.training.ema import EMA
from restore.core.training.optimizers import Plateau, ScheduledOptimizer, make_optimizer, rate_factor

NAMES = ["constant", "linear", "cosine", "one-cycle", "multi-step", "plateau"]


@given(
    name=st.sampled_from(NAMES),
    share=st.floats(0, 1),
    warmup=st.floats(0, 1),
    final=st.floats(0, 1),
)
def test_a_rate_stays_between_zero_and_its_highest(name: str, share: float, warmup: float, final: float) -> None:
    schedule = ScheduleSettings.model_validate({"name": name, "warmup": warmup, "final": final})
    assert -1e-12 <= rate_factor(schedule, share) <= 1 + 1e-12


@pytest.mark.parametrize(
    ("schedule", "share", "factor"),
    [
        ({"name": "linear"}, 0.25, 0.75),
        ({"name": "linear", "final": 0.5}, 1.0, 0.5),
        ({"name": "cosine"}, 0.5, 0.5),
        ({"name": "cosine"}, 1.0, 0.0),
        ({"name": "cosine", "warmup": 0.2}, 0.1, 0.5),
        ({"name": "cosine", "warmup": 0.2}, 0.6, 0.5),
        ({"name": "one-cycle"}, 0.0, 0.04),
        ({"name": "one-cycle"}, 0.3, 1.0),
        ({"name": "one-cycle"}, 0.65, 0.5),
        ({"name": "one-cycle"}, 1.0, 0.0),
        ({"name": "multi-step"}, 0.49, 1.0),
        ({"name": "multi-step"}, 0.5, 0.5),
        ({"name": "multi-step"}, 0.8, 0.25),
        ({"name": "constant", "warmup": 0.5}, 0.25, 0.5),
    ],
)
def test_each_schedule_has_its_shape(schedule: dict[str, object], share: float, factor: float) -> None:
    assert rate_factor(ScheduleSettings.model_validate(schedule), share) == pytest.approx(factor)


def test_cosine_is_that_of_torch() -> None:
    settings = OptimizerSettings(lr=0.1, schedule=ScheduleSettings(name="cosine"))
    ours = ScheduledOptimizer(settings, [("net.weight", nn.Parameter(torch.zeros(1)))])
    reference = torch.optim.SGD([("net.weight", nn.Parameter(torch.zeros(1)))], lr=0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(reference, T_max=20)
    for step in range(20):
        ours.set_rate(step, 20, 5)
        assert math.isclose(ours.rate, reference.param_groups[0]["lr"], rel_tol=1e-9)
        reference.step()
        theirs.step()


def test_a_rate_may_move_once_an_epoch() -> None:
    settings = OptimizerSettings(lr=1.0, schedule=ScheduleSettings(name="linear", per="epoch"))
    optimizer = ScheduledOptimizer(settings, [("net.weight", nn.Parameter(torch.zeros(1)))])
    rates = []
    for step in range(10):
        optimizer.set_rate(step, 10, 5)
        rates.append(optimizer.rate)
    assert rates == [1.0] * 5 + [0.5] * 5


def test_the_first_epoch_of_a_warm_up_by_epochs_moves() -> None:
    schedule = ScheduleSettings(name="cosine", warmup=0.5, per="epoch")
    optimizer = ScheduledOptimizer(
        OptimizerSettings(lr=1.0, schedule=schedule), [("net.weight", nn.Parameter(torch.zeros(1)))]
    )
    rates = []
    for epoch in range(4):
        optimizer.set_rate(5 * epoch, 20, 5)
        rates.append(optimizer.rate)
    assert rates == pytest.approx([0.5, 1.0, 1.0, 0.5])  # of the last half, the cosine's first and middle


@pytest.mark.parametrize(
    ("epochs", "warmup", "rates"), [(1, 0.1, [1.0]), (2, 0.1, [1.0, 0.5556]), (3, 0.9, [0.3704, 0.7407, 1.0])]
)
def test_a_warm_up_by_epochs_ends_at_the_highest_rate(epochs: int, warmup: float, rates: list[float]) -> None:
    schedule = ScheduleSettings(name="linear", warmup=warmup, per="epoch")
    optimizer = ScheduledOptimizer(
        OptimizerSettings(lr=1.0, schedule=schedule), [("net.weight", nn.Parameter(torch.zeros(1)))]
    )
    found = []
    for epoch in range(epochs):
        optimizer.set_rate(100 * epoch, 100 * epochs, 100)
        found.append(optimizer.rate)
    assert found == pytest.approx(rates, abs=1e-3)


def test_the_first_step_of_a_warm_up_moves() -> None:
    settings = OptimizerSettings(lr=1.0, schedule=ScheduleSettings(name="linear", warmup=0.5))
    optimizer = ScheduledOptimizer(settings, [("net.weight", nn.Parameter(torch.zeros(1)))])
    optimizer.set_rate(0, 10, 10)
    assert optimizer.rate == pytest.approx(0.2)


def test_a_plateau_lowers_the_rate_when_patience_is_over() -> None:
    plateau, schedule = Plateau(), ScheduleSettings(name="plateau", patience=1, gamma=0.1)
    factors = []
    for improved in (True, False, False, True, False, False):
        plateau.count_evaluation(improved, schedule)
        factors.append(plateau.factor)
    assert factors == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.01])


def test_an_average_follows_the_weights_and_their_statistics_and_copies_other_buffers() -> None:
    module = nn.BatchNorm1d(1)
    averages = EMA({"net": module}, decay=0.999)
    with torch.no_grad():
        module.weight.fill_(3.0)
        module.running_mean.fill_(7.0)
        module.num_batches_tracked.fill_(5)
    averages.update("net", module)
    early = min(0.999, 2 / 11)
    assert averages.networks["net"].weight.item() == pytest.approx(early * 1 + (1 - early) * 3)
    assert averages.networks["net"].running_mean.item() == pytest.approx((1 - early) * 7)
    assert averages.networks["net"].num_batches_tracked.item() == 5
    averages.restart({"net": module})
    assert averages.networks["net"].weight.item() == 3.0
    assert averages.updates == {"net": 0}
    assert not any(p.requires_grad for p in averages.networks["net"].parameters())


def test_named_parameters_have_their_share_of_the_rate_throughout_the_schedule() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ConvTranspose2d(1, 1, 2))
    named = [(f"generator.{name}", parameter) for name, parameter in net.named_parameters()]
    settings = OptimizerSettings(lr=1e-3, lr_factors={"*.1.weight": 0.1, "generator.1.*": 0.5})
    optimizer = ScheduledOptimizer(settings.model_copy(update={"schedule": ScheduleSettings(name="linear")}), named)
    optimizer.set_rate(50, 100, 100)
    groups = optimizer.optimizer.param_groups
    assert [len(group["params"]) for group in groups] == [2, 1, 1]
    assert [group["lr"] for group in groups] == pytest.approx([5e-4, 5e-5, 2.5e-4])
    assert optimizer.rate == pytest.approx(5e-4)


def test_a_name_in_lr_factors_that_fits_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"lr_factors: 'net.bais' fits none of the parameters, which are net.weight"):
        make_optimizer(OptimizerSettings(lr_factors={"net.bais": 0.1}), [("net.weight", nn.Parameter(torch.zeros(1)))])
