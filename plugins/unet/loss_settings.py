"""Settings of segmentation losses. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core.settings import Settings


class FocalSettings(Settings):
    """Settings of the focal loss."""

    focus: Annotated[float, Field(ge=0)] = 2.0
    """Exponent (gamma): how little easy pixels count."""
    balance: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Weight of the foreground (alpha), for classes that may overlap."""
