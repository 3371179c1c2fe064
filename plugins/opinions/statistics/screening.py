"""Screening: which observers answered so inconsistently that their scores do not count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restore.plugins.opinions.statistics.scores import FloatArray, Scores

BT500_RULE = (
    "ITU-R BT.500: a score counts as far off beyond 2 S of the mean if 2 <= kurtosis <= 4, else beyond sqrt(20) S; "
    "rejected if more than 5 % are far off and |P - Q| / (P + Q) < 0.3 (P above, Q below); applied once"
)
PEARSON_THRESHOLD = 0.75
PEARSON_RULE = (
    f"ITU-T P.913: rejected if the correlation with the means of all observers is below {PEARSON_THRESHOLD}; "
    "applied once"
)


@dataclass(frozen=True)
class ScreenedObserver:
    """What a rule says about one observer."""

    observer: str
    rejected: bool
    reason: str
    """The numbers that decided."""


@dataclass(frozen=True)
class Screening:
    """What a rule says about all observers."""

    rule: str
    observers: Sequence[ScreenedObserver]
    all_rejected: bool = False
    """Whether the rule would have rejected everybody; then it rejects nobody."""

    @property
    def kept(self) -> list[bool]:
        """Whether each observer counts."""
        return [not each.rejected for each in self.observers]


def screen_bt500(scores: Scores) -> Screening:
    """Screen observers with the rule of ITU-R BT.500-14, annex 1, 2.3.1.

    The kurtosis is m4 / m2², with moments over the N observers of a presentation; S has N - 1. An observer who is off
    in one direction only is biased, not inconsistent, and stays. Where all scores are equal (S = 0) nobody is far off,
    although the inequalities of the rule would hold for everybody.
    """
    values = scores.values
    above, below = np.zeros(len(values), int), np.zeros(len(values), int)
    for column in values.T:
        given = ~np.isnan(column)
        side = _find_far_off(column[given])
        above[given] += side > 0
        below[given] += side < 0
    judged = (~np.isnan(values)).sum(axis=1)
    screened = []
    for observer, p, q, count in zip(scores.observers, above, below, judged, strict=True):
        far = int(p + q)
        rejected = far > 0 and far / count > 0.05 and abs(p - q) / far < 0.3
        screened.append(
            ScreenedObserver(
                observer, bool(rejected), f"{far} of {count} scores far off: {p} above the mean, {q} below"
            )
        )
    return _settle(BT500_RULE, screened)


def _find_far_off(column: FloatArray) -> NDArray[np.int64]:
    """Return for each score of a presentation 1 if it is far above the mean, -1 if far below, else 0.

    Deviations are multiplied by N. Whole numbers then stay whole, and no rounding decides where a rule has an equality.
    """
    count = len(column)
    deviations = count * column - column.sum()
    second, fourth = float((deviations**2).sum()), float((deviations**4).sum())
    if second == 0:
        return np.zeros(count, int)
    normal = 2 * second**2 <= count * fourth <= 4 * second**2  # the kurtosis is count * fourth / second**2
    reach = 4 if normal else 20  # squares of 2 and sqrt(20), in units of S**2 = second / (count - 1)
    return np.where(deviations**2 * (count - 1) >= reach * second, np.sign(deviations), 0).astype(int)


def correlate_observers(scores: Scores) -> FloatArray:
    """Return the Pearson correlation of each observer with the means of all, that observer included; (observers,).

    NaN where it is not defined: fewer than three scores, or one score for everything.
    """
    given = ~np.isnan(scores.values)
    counts = given.sum(axis=0)
    means = np.where(counts > 0, np.nansum(scores.values, axis=0) / np.maximum(counts, 1), np.nan)
    found = np.full(len(scores.observers), np.nan)
    for index, (row, there) in enumerate(zip(scores.values, given, strict=True)):
        own, theirs = row[there], means[there]
        if len(own) >= 3 and np.ptp(own) > 0 and np.ptp(theirs) > 0:
            found[index] = np.corrcoef(own, theirs)[0, 1]
    return found


def screen_pearson(scores: Scores, threshold: float = PEARSON_THRESHOLD) -> Screening:
    """Screen observers by their correlation with the means of all observers (VQEG HDTV, annex I; ITU-T P.913).

    An observer with one score for everything has no correlation, and is rejected unless all observers are like that.

    Args:
        scores: the scores.
        threshold: the smallest correlation that is enough.
    """
    screened = []
    for observer, r, row in zip(scores.observers, correlate_observers(scores), scores.values, strict=True):
        given = row[~np.isnan(row)]
        if not math.isnan(r):
            screened.append(ScreenedObserver(observer, bool(r < threshold), f"r = {r:.3f}"))
        elif len(given) >= 3 and np.ptp(given) == 0:
            screened.append(ScreenedObserver(observer, True, f"gave {given[0]:g} to everything, so r is not defined"))
        else:
            screened.append(ScreenedObserver(observer, False, "too few scores, so r is not defined"))
    rule = PEARSON_RULE.replace(str(PEARSON_THRESHOLD), f"{threshold:g}")
    return _settle(rule, screened)


def _settle(rule: str, screened: Sequence[ScreenedObserver]) -> Screening:
    """Return the screening; a rule that rejects everybody rejects nobody."""
    if screened and all(each.rejected for each in screened):
        kept = [ScreenedObserver(each.observer, False, each.reason) for each in screened]
        return Screening(rule, kept, all_rejected=True)
    return Screening(rule, screened)
