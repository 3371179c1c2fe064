"""Intervals and tests of methods, against what can be worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import permutation_test, ttest_1samp

from restore.core.bootstrap import bootstrap_interval, compare_paired
from restore.plugins.common.metrics import PSNR, PrecomputedMetric

MEAN = PrecomputedMetric("value", "as it is")


def normal(count: int, mean: float, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return mean + torch.randn(count, 1, generator=generator, dtype=torch.float64)


def test_the_interval_of_a_mean_is_close_to_that_of_student() -> None:
    rows = normal(200, 5, 1)
    found = bootstrap_interval(MEAN, rows)
    assert found is not None
    known = ttest_1samp(rows[:, 0], 0).confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(known.low, abs=0.02), pytest.approx(known.high, abs=0.02))
    assert found.images == 200
    assert bootstrap_interval(MEAN, rows) == found


def test_pairs_tell_more_than_the_intervals_of_each() -> None:
    rows = normal(30, 0, 2) * 10
    better = rows + 0.5 + 0.1 * normal(30, 0, 3)
    one, other = bootstrap_interval(MEAN, better), bootstrap_interval(MEAN, rows)
    assert one is not None
    assert other is not None
    assert one.low < other.high
    found = compare_paired(MEAN, better, rows)
    assert found is not None
    assert 0.4 < found.interval.low < found.value < found.interval.high < 0.6
    assert found.p == pytest.approx(1 / 2001)


def test_the_test_of_few_images_goes_through_all_swaps() -> None:
    a, b = normal(7, 0.8, 4), normal(7, 0, 5)
    found = compare_paired(MEAN, a, b)
    assert found is not None
    known = permutation_test(
        (a[:, 0].numpy(), b[:, 0].numpy()),
        lambda x, y, axis: x.mean(axis) - y.mean(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=math.inf,
    )
    assert found.p == pytest.approx(known.pvalue)
    assert 0 < found.p < 1


def test_equal_methods_do_not_differ() -> None:
    rows = normal(12, 0, 6)
    found = compare_paired(MEAN, rows, rows)
    assert found is not None
    assert (found.value, found.interval.low, found.interval.high, found.p) == (0, 0, 0, 1)


def test_infinite_images_do_not_count() -> None:
    rows = torch.tensor([[0.0, 10.0], [650.25, 10.0], [65.025, 10.0]], dtype=torch.float64)  # inf, 30 and 40 dB
    found = bootstrap_interval(PSNR(), rows)
    assert found is not None
    assert (found.low, found.high, found.images) == (pytest.approx(30), pytest.approx(40), 2)
    difference = compare_paired(PSNR(), rows, rows[[1, 1, 1]])
    assert difference is not None
    assert (difference.value, difference.interval.images) == (pytest.approx(5), 2)
    assert bootstrap_interval(PSNR(), rows[:2]) is None
    assert compare_paired(PSNR(), rows[:2], rows[1:]) is None
