"""Settings of how training crops are varied. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from restore.core.settings import Settings

Factor = Annotated[float, Field(ge=0.25, le=16)]


class CropAugmentation(Settings):
    """Variations of training crops, drawn anew for each."""

    flip: bool = True
    """Mirror every other crop."""
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Largest angle in degrees, to either side."""
    scale: tuple[Factor, Factor] = (1.0, 1.0)
    """How many times larger the part of the picture is that is brought to the size of a crop; above 1 more is seen, as
    large photographs need it, below 1 less."""
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How much brightness, contrast and saturation vary: 0.2 is a fifth to either side."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale: the smallest factor {self.scale[0]:g} is above the largest {self.scale[1]:g}")
        return self
