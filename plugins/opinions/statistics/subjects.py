"""Bias and inconsistency of each observer, and the quality of each presentation, by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from restore.plugins.opinions.statistics.scores import FloatArray, NoEstimate, Scores

SUBJECT_MODEL = "ITU-T P.910 annex E: maximum likelihood of score = quality + bias + inconsistency x normal noise"
_FLOOR = 1e-3
"""Smallest inconsistency: on a scale of whole numbers nobody is more exact, and the likelihood would be unbounded."""
_ROUNDS = 5000


@dataclass(frozen=True)
class SubjectModel:
    """The estimates; intervals of 95 % are plus and minus 1.96 standard errors."""

    quality: FloatArray
    """Quality of each presentation, free of the observers' biases; NaN for one without scores."""
    quality_error: FloatArray
    """Standard error of each quality."""
    bias: FloatArray
    """How much higher than the others each observer scores; the biases sum to zero."""
    bias_error: FloatArray
    """Standard error of each bias."""
    inconsistency: FloatArray
    """Standard deviation of each observer's noise."""
    inconsistency_error: FloatArray
    """Standard error of each inconsistency."""


def estimate_subjects(scores: Scores) -> SubjectModel:
    """Estimate quality, bias and inconsistency together; nobody is rejected, inconsistent observers weigh less.

    The model is that of Li, Bampis, Krasula, Janowski and Katsavounidis (2020), which ITU-T P.910 (11/21) has as annex
    E; the estimates alternate between its parts until they stand still.

    Raises:
        NoEstimate: there are fewer than three observers, observers share no presentation with the others, or one of
            them is matched exactly, where the likelihood has no maximum.
    """
    values = scores.values[:, ~np.isnan(scores.values).all(axis=0)]
    given: NDArray[np.bool_] = np.logical_not(np.isnan(values))
    if len(values) < 3:
        raise NoEstimate("the model of biases takes three observers or more")
    _check_connected(given)
    quality = np.nansum(values, axis=0) / given.sum(axis=0)
    bias = np.zeros(len(values))
    inconsistency = np.zeros(len(values))
    for _ in range(_ROUNDS):
        bias = np.nanmean(values - quality, axis=1)
        bias -= bias.mean()
        inconsistency = np.maximum(np.nanstd(values - quality - bias[:, None], axis=1), _FLOOR)
        weights = given / inconsistency[:, None] ** 2
        following = np.nansum(weights * (values - bias[:, None]), axis=0) / weights.sum(axis=0)
        moved = float(np.abs(following - quality).max())
        quality = following
        if moved < 1e-9:
            break
    exact = inconsistency <= _FLOOR
    if exact.any() and not exact.all():
        name = scores.observers[int(np.argmax(exact))]
        raise NoEstimate(f"the model of biases has no maximum: it can match {name} exactly; more observers are needed")
    inconsistency = np.where(exact, 0.0, inconsistency)
    return _add_errors(scores, given, quality, bias, inconsistency)


def _add_errors(
    scores: Scores, given: NDArray[np.bool_], quality: FloatArray, bias: FloatArray, inconsistency: FloatArray
) -> SubjectModel:
    """Return the estimates with their standard errors; presentations that nobody scored get NaN."""
    scored = ~np.isnan(scores.values).all(axis=0)
    own = np.full(scores.values.shape[1], np.nan)
    own_error = own.copy()
    own[scored] = quality
    with np.errstate(divide="ignore"):
        own_error[scored] = 1 / np.sqrt((given / inconsistency[:, None] ** 2).sum(axis=0)) if inconsistency.any() else 0
    counts = np.sum(given, axis=1)
    return SubjectModel(
        own,
        own_error,
        bias,
        inconsistency / np.sqrt(counts),
        inconsistency,
        inconsistency / np.sqrt(2 * counts),
    )


def _check_connected(given: NDArray[np.bool_]) -> None:
    """Raise NoEstimate unless every observer is linked to every other one through presentations that both scored."""
    rows, columns = (index.astype(np.int32) for index in np.nonzero(given))  # scipy 1.11 finds no parts of wider ones
    size = sum(given.shape)
    links = coo_array((np.ones(len(rows)), (rows, columns + len(given))), shape=(size, size))
    if connected_components(links, directed=False)[0] > 1:
        raise NoEstimate("the model of biases takes observers who share presentations; some share none with the others")
