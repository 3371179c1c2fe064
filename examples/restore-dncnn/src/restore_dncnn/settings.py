"""Settings of the network, the dataset and the metric. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core import Settings

Noise = Annotated[float, Field(ge=0, le=255)]


class NetworkSettings(Settings):
    """The network."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels of the hidden layers."""
    depth: Annotated[int, Field(ge=3)] = 20
    """Number of convolutions: 20 for blind denoising, 17 for a known noise."""


class BlindSettings(Settings):
    """The noise."""

    most: Noise = 55.0
    """Largest standard deviation of the noise in training, of 255."""
    measured: Noise = 25.0
    """Standard deviation of the noise that is measured with, of 255."""


class EdgeSettings(Settings):
    """Where edges are."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Smallest slope of an edge: difference of two neighbors, black 0 and white 1."""
