"""Agreement of metrics with opinion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CORRELATION_RULE = "PLCC: Pearson, without a fitted curve; SROCC: Spearman; KROCC: Kendall, tau-b"


@dataclass(frozen=True)
class Correlation:
    """Correlations of a metric with mean opinion scores; negative where a small value means good quality."""

    plcc: float
    """Pearson's linear correlation coefficient, without a fitted curve."""
    srocc: float
    """Spearman's rank-order correlation coefficient."""
    krocc: float
    """Kendall's rank-order correlation coefficient, tau-b."""
    presentations: int
    """How many presentations count: those with a finite value and a score."""


def correlate_metric(values: Sequence[float], opinions: Sequence[float]) -> Correlation | None:
    """Return how a metric agrees with opinion; None with fewer than three presentations, or if one side is constant.

    Args:
        values: the metric of each presentation; those that are not finite are left out.
        opinions: the mean opinion score of each presentation; NaN is left out.
    """
    metric, opinion = np.asarray(values, float), np.asarray(opinions, float)
    finite = np.isfinite(metric) & np.isfinite(opinion)
    metric, opinion = metric[finite], opinion[finite]
    if len(metric) < 3 or np.ptp(metric) == 0 or np.ptp(opinion) == 0:
        return None
    return Correlation(
        float(np.corrcoef(metric, opinion)[0, 1]),
        float(stats.spearmanr(metric, opinion).statistic),
        float(stats.kendalltau(metric, opinion).statistic),
        len(metric),
    )
