"""Evaluations with infinitely good images can be compared."""

from __future__ import annotations

import math

import pytest
import torch

from restore.core.metrics import MetricResult
from restore.core.reduction import Evaluation
from restore.core.training.validation import comparable
from restore.plugins.common.metrics import PSNR


def evaluation(*values: float) -> Evaluation:
    """What an engine finds: the mean of the finite values, unless there is none."""
    metric = PSNR()
    kept = [value for value in values if not math.isinf(value)] or values
    left_out = len(values) - len(kept)
    number = MetricResult("psnr", metric.convention, "run", sum(kept) / len(kept), len(values), left_out)
    rows = [{"image": str(place), "name": "psnr", "convention": metric.convention, "of": "run", "value": value}
            for place, value in enumerate(values)]  # fmt: skip
    return Evaluation([number], rows)


def value(*values: float) -> float:
    found = evaluation(*values)
    return comparable(PSNR(), found.numbers[0], found)


def test_a_perfect_image_does_not_hide_what_becomes_of_the_others() -> None:
    assert value(math.inf, 30, 31) > value(math.inf, 30, 30) > value(math.inf, 20, 20)
    assert value(math.inf, 30, 30) > value(90, 30, 30) > value(90, 29, 30)
    assert value(30, 32) == 31
    assert value(math.inf, math.inf) == PSNR.limit
    assert math.isnan(value(math.nan, 3))


def test_a_metric_without_a_limit_is_compared_by_its_finite_images() -> None:
    class Unlimited:
        name, convention, better = "psnr", PSNR().convention, "higher"

        def measure(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            raise NotImplementedError

        def reduce(self, rows: torch.Tensor) -> float:
            raise NotImplementedError

    found = evaluation(math.inf, 20, 30)
    assert comparable(Unlimited(), found.numbers[0], found) == pytest.approx(25)  # type: ignore[arg-type]
