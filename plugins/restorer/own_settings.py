"""Settings of what the family registers: its network and its dataset. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from restore.core.settings import Settings
from restore.plugins.common.degradation.settings import DegradationSettings

Quality = Annotated[int, Field(ge=1, le=95)]


class DnCNNSettings(Settings):
    """Convolutions at the size of the image."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels of the hidden layers."""
    depth: Annotated[int, Field(ge=3)] = 17
    """Number of convolutions."""
    batch_norm: bool = True
    """Normalize all layers except the first and the last, as published."""
    dilated: bool = False
    """Dilate the convolutions by up to 4 pixels, as IRCNN does: a pixel sees two to three times as far."""


class DRUNetSettings(Settings):
    """Residual blocks at several resolutions."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels at full resolution; they double at each scale."""
    blocks: Annotated[int, Field(ge=1)] = 4
    """Residual blocks at each scale, on the way down and on the way up."""
    scales: Annotated[int, Field(ge=1, le=6)] = 4
    """Number of resolutions, each half as large as the one before."""


class NoisySettings(Settings):
    """Degradations, in this order."""

    noise: Annotated[float, Field(ge=0, le=255)] = 25.0
    """Standard deviation of Gaussian noise, of 255; 0: none."""
    jpeg: tuple[Quality, Quality] | None = None
    """Smallest and largest JPEG quality, drawn for each image; unset: no JPEG. Noisy images are rounded to 8 bits
    first."""

    @model_validator(mode="after")
    def _degrades(self) -> Self:
        if self.jpeg is not None and self.jpeg[0] > self.jpeg[1]:
            raise ValueError(f"jpeg: the smallest quality, {self.jpeg[0]}, is above the largest, {self.jpeg[1]}")
        if not self.noise and self.jpeg is None:
            raise ValueError("noise is 0 and jpeg is unset, so nothing degrades the images; set one of them")
        return self


class DegradedSettings(Settings):
    """Random degradations of several kinds."""

    degradation: DegradationSettings = DegradationSettings(preset="photo")
    """How inputs are made of clean images."""

    @model_validator(mode="after")
    def _degrades(self) -> Self:
        if not self.degradation.active:
            raise ValueError("degradation.preset is none, so nothing degrades the images; set it to jpeg, photo, …")
        return self
