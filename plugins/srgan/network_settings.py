"""Settings of SRGAN's networks: what each architecture can be built with. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from restore.core.settings import Settings


class MSRResNetSettings(Settings):
    """Residual blocks at the input's resolution."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels of the hidden layers."""
    blocks: Annotated[int, Field(ge=1)] = 16
    """Number of residual blocks."""


class SRResNetSettings(MSRResNetSettings):
    """Residual blocks with batch normalization."""

    clamp: bool = False
    """Clamp the output to [0, 1] inside the network, which some imported checkpoints need."""


class CompactSettings(MSRResNetSettings):
    """Residual blocks for a small machine."""

    channels: Annotated[int, Field(ge=1)] = 32
    blocks: Annotated[int, Field(ge=1)] = 5


class LightSettings(MSRResNetSettings):
    """Residual blocks and one sub-pixel convolution."""

    channels: Annotated[int, Field(ge=1)] = 48
    blocks: Annotated[int, Field(ge=1)] = 6


class DiscriminatorSettings(Settings):
    """A VGG-style discriminator."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels of the first layer; the last has eight times as many."""
    head: Literal["pooled", "dense"] = "pooled"
    """pooled: global average pooling, works with any crop size; dense: fully connected, as published, which adds 18
    million parameters for crops of 96 pixels."""
    hidden: Annotated[int, Field(ge=1)] = 1024
    """Width of the hidden layer in the head."""
