"""Settings of pix2pix. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core import OptimizerSettings, RunSettings, Settings


class NetworkSettings(Settings):
    """The generator; a weights file stores exactly these."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels of the first level."""
    depth: Annotated[int, Field(ge=2, le=6)] = 6
    """Halvings of the image; published: 8, for crops of 256 pixels."""


class Pix2PixSettings(RunSettings):
    """Train pix2pix on pairs: inputs/ and targets/ in --data. Other images are colorized from gray ones."""

    model: NetworkSettings = NetworkSettings()
    """The generator."""
    discriminator_channels: Annotated[int, Field(ge=1)] = 64
    """Channels of the first layer of the discriminator."""
    crop_size: Annotated[int, Field(ge=64, multiple_of=64)] = 64
    """Side of the training crops in pixels; published: 256."""
    l1: Annotated[float, Field(ge=0)] = 100.0
    """Weight of the absolute error beside the adversarial loss."""
    batch_size: Annotated[int, Field(ge=1)] = 4
    optimizer: OptimizerSettings = OptimizerSettings(lr=2e-4, betas=(0.5, 0.999))
    """Optimizers of both networks."""
