"""What observers answered: a matrix of scores, or counts of preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from restore.core.errors import RestoreError

FloatArray = NDArray[np.float64]


class NoEstimate(RestoreError):
    """The answers do not determine what was asked for; the message says why."""


@dataclass(frozen=True)
class Presentation:
    """What is scored at once: the result of one method on one image."""

    image: str
    method: str


@dataclass(frozen=True)
class Scores:
    """The scores of several observers for the same presentations."""

    values: FloatArray
    """(observers, presentations); NaN where an observer gave no score."""
    observers: tuple[str, ...]
    presentations: tuple[Presentation, ...]

    def __post_init__(self) -> None:
        """Raise ValueError if the names do not fit the matrix."""
        if self.values.shape != (len(self.observers), len(self.presentations)):
            raise ValueError(
                f"{self.values.shape} scores of {len(self.observers)} observers and "
                f"{len(self.presentations)} presentations"
            )

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods in the order of their first presentation."""
        return tuple(dict.fromkeys(each.method for each in self.presentations))

    def keep_observers(self, kept: Sequence[bool]) -> Scores:
        """Return the scores of some observers.

        Args:
            kept: whether each observer stays.
        """
        names = tuple(name for name, stays in zip(self.observers, kept, strict=True) if stays)
        return replace(self, values=self.values[np.asarray(kept, bool)], observers=names)

    def keep_presentations(self, kept: Sequence[bool]) -> Scores:
        """Return the scores of some presentations.

        Args:
            kept: whether each presentation stays.
        """
        stay = tuple(each for each, stays in zip(self.presentations, kept, strict=True) if stays)
        return replace(self, values=self.values[:, np.asarray(kept, bool)], presentations=stay)
