"""Settings of how training crops are varied. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from restore.core.settings import Settings

Factor = Annotated[float, Field(ge=0.25, le=16)]


class CropAugmentation(Settings):
    """Random variations of training crops."""

    flip: bool = True
    """Mirror every other crop."""
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Largest angle in degrees, to either side."""
    zoom: tuple[Factor, Factor] = (1.0, 1.0)
    """Smallest and largest side of the part of an image that is resized to a crop, in sides of the crop: above 1 a crop
    shows more, which large photographs need, below 1 less."""
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How much brightness, contrast and saturation vary: 0.2 is a fifth to either side."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.zoom[0] > self.zoom[1]:
            raise ValueError(f"zoom: the smallest factor {self.zoom[0]:g} is above the largest {self.zoom[1]:g}")
        return self
