"""Settings of the metrics that are chosen by name. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from restore.core.settings import Settings

Color = Literal["y8", "y", "rgb8", "rgb"]


class BorderSettings(Settings):
    """Which part of two images is compared."""

    border: Annotated[int, Field(ge=0)] = 0
    """Pixels cut off each side."""


class ComparisonSettings(BorderSettings):
    """Which values of two images are compared."""

    color: Color = "rgb8"
    """y8: luma (BT.601, 16 to 235) of the 8-bit image, rounded to 8 bits; y: the same, not rounded; rgb8: the 8-bit
    image; rgb: the image as it is."""
