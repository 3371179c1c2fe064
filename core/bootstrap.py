"""How much a result says: intervals by the bootstrap over images, and a paired test of two methods.

Both are computed from the statistics of each image, so they hold for means over images and for pooled results alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from restore.core.metrics import Metric

RESAMPLES = 2000
"""How often images are drawn, or swapped."""
EXACT_UP_TO = 10
"""With so many images or fewer, the test goes through all swaps."""
METHOD = f"95 % percentile bootstrap over images, {RESAMPLES} resamples; two-sided paired permutation test"
"""What the numbers are, in words."""


@dataclass(frozen=True)
class BootstrapInterval:
    """The range in which 95 % of the results lie when images are drawn anew, with replacement."""

    low: float
    high: float
    images: int
    """How many images count: those whose own value is finite."""


@dataclass(frozen=True)
class PairedDifference:
    """The result of one method minus that of another on the same images."""

    value: float
    interval: BootstrapInterval
    p: float
    """How often the difference is as large if the methods are swapped at random on each image."""


def bootstrap_interval(metric: Metric, rows: Tensor) -> BootstrapInterval | None:
    """Return the interval of a result; None with fewer than two images that have a finite value.

    Args:
        metric: the metric.
        rows: its statistics, (N, K), one row for each image.
    """
    finite = rows[_finite(metric, rows)]
    if len(finite) < 2:
        return None
    return _interval(len(finite), lambda drawn: metric.reduce(finite[drawn]))


def compare_paired(metric: Metric, rows: Tensor, others: Tensor) -> PairedDifference | None:
    """Return the difference between two methods; None with fewer than two images that have finite values of both.

    Args:
        metric: the metric.
        rows: the statistics of the first method, (N, K).
        others: those of the method that is subtracted, (N, K), of the same images in the same order.
    """
    both = _finite(metric, rows) & _finite(metric, others)
    a, b = rows[both], others[both]
    if len(a) < 2:
        return None
    value = metric.reduce(a) - metric.reduce(b)
    interval = _interval(len(a), lambda drawn: metric.reduce(a[drawn]) - metric.reduce(b[drawn]))
    return PairedDifference(value, interval, _test(metric, a, b, value))


def _finite(metric: Metric, rows: Tensor) -> Tensor:
    return torch.tensor([math.isfinite(metric.reduce(row[None])) for row in rows], dtype=torch.bool)


def _interval(count: int, result: Callable[[Tensor], float]) -> BootstrapInterval:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(count, (RESAMPLES, count), generator=generator)
    low, high = np.nanpercentile([result(indices) for indices in drawn], [2.5, 97.5])
    return BootstrapInterval(float(low), float(high), count)


def _test(metric: Metric, a: Tensor, b: Tensor, value: float) -> float:
    """Return the p-value of a difference: of all swaps of few images, else of random ones and the one that is."""
    count, exact = len(a), len(a) <= EXACT_UP_TO
    if exact:
        swaps = (torch.arange(2**count)[:, None] >> torch.arange(count)) & 1 == 1
    else:
        swaps = torch.rand(RESAMPLES, count, generator=torch.Generator().manual_seed(0)) < 0.5
    least = abs(value) * (1 - 1e-12)
    large = 0
    for swap in swaps[:, :, None]:
        difference = metric.reduce(torch.where(swap, b, a)) - metric.reduce(torch.where(swap, a, b))
        large += not abs(difference) < least  # NaN is no reason to believe in a difference
    return large / len(swaps) if exact else (large + 1) / (len(swaps) + 1)
