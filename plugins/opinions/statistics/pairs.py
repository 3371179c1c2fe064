"""Bradley-Terry: a scale from comparisons of two methods at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from restore.plugins.opinions.statistics.scores import FloatArray, NoEstimate

PAIRS_RULE = "Bradley-Terry, maximum likelihood; 95 % intervals of 1.96 standard errors from the Fisher information"
_SMOOTHING = 0.5


@dataclass(frozen=True)
class PairScale:
    """Strengths of methods: one is preferred over another with probability 1 / (1 + exp(other - own))."""

    methods: tuple[str, ...]
    strengths: FloatArray
    """Natural logarithms of odds; they sum to zero."""
    errors: FloatArray
    """Standard errors of the strengths."""
    wins: FloatArray
    """(methods, methods): how often the method of the row was preferred over that of the column."""
    smoothed: bool
    """Whether half a preference was added to both sides of each compared pair, because a method or a group of methods
    was always or never preferred; its strength would be infinite."""

    def probability(self, method: str, other: str) -> float:
        """Return how likely one method is preferred over another."""
        own, theirs = (self.strengths[self.methods.index(name)] for name in (method, other))
        return float(1 / (1 + np.exp(theirs - own)))


def count_wins(methods: Sequence[str], preferences: Iterable[tuple[str, str]]) -> FloatArray:
    """Return the matrix of preferences, as `PairScale.wins`.

    Args:
        methods: names of the methods, in the order of rows and columns.
        preferences: the preferred method and the other one, once for each answer.
    """
    places = {method: index for index, method in enumerate(methods)}
    wins = np.zeros((len(methods), len(methods)))
    for preferred, other in preferences:
        wins[places[preferred], places[other]] += 1
    return wins


def fit_bradley_terry(methods: Sequence[str], wins: FloatArray) -> PairScale:
    """Return the strengths that make the preferences most likely (Bradley and Terry, 1952).

    The maximum exists if no group of methods won or lost all its comparisons with the others (Ford, 1957); otherwise
    half a preference is added to both sides of each compared pair.

    Args:
        methods: names of the methods.
        wins: (methods, methods), as `count_wins` returns.

    Raises:
        NoEstimate: fewer than two methods, or methods that were never compared with the others, directly or through
            third ones.
    """
    if len(methods) < 2:
        raise NoEstimate("preferences take two methods or more")
    compared = wins + wins.T
    groups, group = connected_components(csr_array(compared), directed=False)
    if groups > 1:
        apart = [method for method, number in zip(methods, group, strict=True) if number != group[0]]
        raise NoEstimate(f"{', '.join(apart)} cannot be placed: never compared with {methods[0]} or what it met")
    smoothed = connected_components(csr_array(wins), directed=True, connection="strong")[0] > 1
    strengths, errors = _maximize(wins + _SMOOTHING * (compared > 0) if smoothed else wins)
    return PairScale(tuple(methods), strengths, errors, wins, bool(smoothed))


def _maximize(wins: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return strengths and their standard errors by Newton's method; the likelihood is concave."""
    compared = wins + wins.T
    strengths = np.zeros(len(wins))
    for _ in range(200):
        probability = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))  # (methods, methods)
        slope = wins.sum(axis=1) - (compared * probability).sum(axis=1)
        step = np.linalg.pinv(_information(compared, probability), hermitian=True) @ slope
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))  # far from the maximum Newton overshoots
        strengths = strengths + step - (strengths + step).mean()
        if float(np.abs(step).max()) < 1e-12:
            break
    probability = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    covariance = np.linalg.pinv(_information(compared, probability), hermitian=True)
    return strengths, np.sqrt(np.diag(covariance))


def _information(compared: FloatArray, probability: FloatArray) -> FloatArray:
    """Return the Fisher information; its rows sum to zero, as the strengths do."""
    weights = compared * probability * (1 - probability)
    return np.diag(weights.sum(axis=1)) - weights
