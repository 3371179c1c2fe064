"""How often something is done: every so many steps or epochs, or after so much time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Interval:
    """Exactly one of the three is not zero."""

    steps: int = 0
    epochs: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """The interval that ``500`` (steps), ``2e`` (epochs), ``30s``, ``10m`` or ``1h`` names.

        Raises:
            ValueError: the text is nothing like these.
        """
        match = re.fullmatch(r"([1-9]\d*)([esmh]?)", text)
        if match is None:
            raise ValueError(f"checkpoint_every {text!r} is not like 500, 2e, 30s, 10m or 1h")
        amount, unit = int(match[1]), match[2]
        if unit in SECONDS:
            return cls(seconds=amount * SECONDS[unit])
        return cls(epochs=amount) if unit == "e" else cls(steps=amount)
