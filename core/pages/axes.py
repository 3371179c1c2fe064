"""Axes of charts: where a value lies, and the round numbers to write beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """The values between two ends, ``low < high``, on a linear or a logarithmic scale."""

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies: 0 is the lower end, 1 the upper one."""
        if self.logarithmic:
            low, high, value = math.log10(self.low), math.log10(self.high), math.log10(max(value, self.low))
        else:
            low, high = self.low, self.high
        return (value - low) / (high - low)

    def ticks(self, count: int, *, whole: bool = False) -> list[float]:
        """Return about as many round numbers inside the axis as asked for.

        Args:
            count: how many.
            whole: only whole numbers, as for steps.
        """
        if self.logarithmic:
            return self._powers(count)
        rough = (self.high - self.low) / count
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
        if whole:
            step = max(1.0, float(round(step)))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    def _powers(self, count: int) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        every = max(1, -(-(last - first) // count))
        factors = (1, 2, 5) if last - first <= 2 else (1,)
        found = [factor * 10.0**power for power in range(first, last + 1, every) for factor in factors]
        inside = [value for value in found if self.low * 0.999 <= value <= self.high * 1.001]
        return inside or [self.low, self.high]


def fit_axis(values: Sequence[float], logarithmic: bool) -> Axis:
    """Return the axis that shows all values with a little room around them.

    On a logarithmic one, values that are not positive are left out.
    """
    if logarithmic and (positive := [value for value in values if value > 0]):
        low, high = min(positive), max(positive)
        room = (high / low) ** 0.05 if high > low else 2.0
        return Axis(low / room, high * room, logarithmic=True)
    low, high = min(values), max(values)
    room = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    return Axis(low - room, high + room)


def format_number(value: float) -> str:
    """Return a number with four significant digits, without trailing zeros: ``28.42``, ``0.0001``, ``1e-06``."""
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}" if abs(value) < 1e7 else f"{value:.3g}"
