"""Settings of the augmentation of training crops. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from restore.core.settings import Settings

Factor = Annotated[float, Field(ge=0.25, le=16)]


class CropAugmentation(Settings):
    """Augmentation of training crops."""

    flip: bool = True
    """Flip crops horizontally with probability 0.5."""
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Largest rotation in degrees, in both directions."""
    zoom: tuple[Factor, Factor] = (1.0, 1.0)
    """Smallest and largest source area of a crop, as a multiple of the crop's side. Above 1 a crop is downscaled from a
    larger area, which suits large photographs; below 1 it is upscaled."""
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Color jitter: largest relative change of brightness, contrast and saturation, such as 0.2."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.zoom[0] > self.zoom[1]:
            raise ValueError(f"zoom: the smallest factor, {self.zoom[0]:g}, is above the largest, {self.zoom[1]:g}")
        return self
