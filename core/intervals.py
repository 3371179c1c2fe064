"""Intervals of steps, epochs or time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Interval:
    """An interval; exactly one of the three fields is not zero."""

    steps: int = 0
    epochs: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``500`` (steps), ``2e`` (epochs), ``30s``, ``10m`` or ``1h``.

        Raises:
            ValueError: the text has another form.
        """
        match = re.fullmatch(r"([1-9]\d*)([esmh]?)", text)
        if match is None:
            raise ValueError(f"checkpoint_every {text!r}: expected a form such as 500, 2e, 30s, 10m or 1h")
        amount, unit = int(match[1]), match[2]
        if unit in SECONDS:
            return cls(seconds=amount * SECONDS[unit])
        return cls(epochs=amount) if unit == "e" else cls(steps=amount)
