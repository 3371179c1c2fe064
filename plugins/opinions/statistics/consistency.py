"""How consistent observers are: what they answered when the same presentation came again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Consistency:
    """How the second answers compare with the first ones."""

    repeats: int
    same: float
    """Share of equal answers."""
    difference: float
    """Mean absolute difference of scores; NaN for preferences."""


def compare_repeats(pairs: Sequence[tuple[float, float]]) -> Consistency | None:
    """Return how consistent scores are; None without repeats.

    Args:
        pairs: first and second score of each repeated presentation.
    """
    if not pairs:
        return None
    first, second = np.asarray(pairs, float).T
    return Consistency(len(pairs), float(np.mean(first == second)), float(np.mean(np.abs(first - second))))


def compare_repeated_preferences(pairs: Sequence[tuple[str, str]]) -> Consistency | None:
    """Return how consistent preferences are; None without repeats.

    Args:
        pairs: what was preferred the first and the second time.
    """
    if not pairs:
        return None
    return Consistency(len(pairs), float(np.mean([first == second for first, second in pairs])), float("nan"))
