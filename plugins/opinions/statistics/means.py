"""Mean opinion scores with 95 % intervals, of presentations and of methods, and differential scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from restore.plugins.opinions.statistics.scores import FloatArray, Presentation, Scores

IntervalRule = Literal["student", "normal"]

INTERVAL_RULES: Mapping[IntervalRule, str] = {
    "student": "mean ± t(0.975, N-1) S/sqrt(N), Student t over N observers (ITU-T P.913)",
    "normal": "mean ± 1.96 S/sqrt(N) over N observers (ITU-R BT.500)",
}
"""The rules of 95 % intervals, in words. For 20 observers the first is 7 % wider than the second."""


@dataclass(frozen=True)
class OpinionMean:
    """A mean with its 95 % interval."""

    value: float
    """NaN if nobody answered."""
    half_width: float
    """The interval is ``value`` plus and minus this; NaN with fewer than two observers."""
    deviation: float
    """S: standard deviation of observers, with N - 1; NaN with fewer than two observers."""
    observers: int
    """N."""

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.value - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.value + self.half_width


def average_presentations(scores: Scores, rule: IntervalRule = "student") -> list[OpinionMean]:
    """Return the mean opinion score of each presentation, over the observers who scored it.

    Args:
        scores: the scores.
        rule: how intervals are computed.
    """
    return [_average(column[~np.isnan(column)], rule) for column in scores.values.T]


def average_methods(scores: Scores, rule: IntervalRule = "student") -> dict[str, OpinionMean]:
    """Return the mean opinion score of each method: the mean over its presentations, each of which counts the same.

    Scores of one observer go together, so observers are what the interval is over. Its deviation is that of the
    observers' mean deviations from the means of the presentations; without missing scores this is the deviation of
    the observers' own means.

    Args:
        scores: the scores.
        rule: how intervals are computed.
    """
    found = {}
    for method in scores.methods:
        own = scores.keep_presentations([each.method == method for each in scores.presentations]).values
        scored = own[:, ~np.isnan(own).all(axis=0)]
        scored = scored[~np.isnan(scored).all(axis=1)]
        if not scored.size:
            found[method] = _average(np.empty(0), rule)
            continue
        means = np.nanmean(scored, axis=0)
        spread = _average(np.nanmean(scored - means, axis=1), rule)
        found[method] = OpinionMean(float(means.mean()), spread.half_width, spread.deviation, spread.observers)
    return found


def compute_differential_scores(scores: Scores, reference: str, top: float = 5.0) -> Scores:
    """Return differential scores: each score minus the same observer's score of the hidden reference, plus ``top``.

    So ``top`` means as good as the reference; a result that was found better has more, and is kept (ITU-T P.910,
    absolute category rating with hidden reference). A score is missing if either of the two is.

    Args:
        scores: the scores, those of the reference included.
        reference: the name under which it was scored.
        top: the best score of the scale.
    """
    places = {each: index for index, each in enumerate(scores.presentations)}
    kept = [each.method != reference and Presentation(each.image, reference) in places for each in scores.presentations]
    own = scores.keep_presentations(kept)
    theirs: Sequence[int] = [places[Presentation(each.image, reference)] for each in own.presentations]
    return Scores(own.values - scores.values[:, theirs] + top, own.observers, own.presentations)


def _average(values: FloatArray, rule: IntervalRule) -> OpinionMean:
    count = len(values)
    if count == 0:
        return OpinionMean(math.nan, math.nan, math.nan, 0)
    if count == 1:
        return OpinionMean(float(values[0]), math.nan, math.nan, 1)
    deviation = float(np.std(values, ddof=1))
    factor = float(stats.t.ppf(0.975, count - 1)) if rule == "student" else 1.96
    return OpinionMean(float(np.mean(values)), factor * deviation / math.sqrt(count), deviation, count)
