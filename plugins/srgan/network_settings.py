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
    tanh: bool = False
    """End with (tanh + 1) / 2, as some imported checkpoints do."""
    normalize: bool = False
    """Normalize the input by ImageNet's statistics, as some imported checkpoints do."""


class CompactSettings(MSRResNetSettings):
    """Residual blocks for a small machine."""

    channels: Annotated[int, Field(ge=1)] = 32
    blocks: Annotated[int, Field(ge=1)] = 5


class LightSettings(MSRResNetSettings):
    """Residual blocks and one sub-pixel convolution."""

    channels: Annotated[int, Field(ge=1)] = 48
    blocks: Annotated[int, Field(ge=1)] = 6


class RRDBNetSettings(Settings):
    """Dense blocks inside residual blocks."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels of the blocks."""
    blocks: Annotated[int, Field(ge=1)] = 23
    """Number of residual blocks, of three dense blocks each; Real-ESRGAN's file for anime has 6."""
    growth: Annotated[int, Field(ge=1)] = 32
    """Channels that each convolution of a dense block adds."""
    unshuffle: bool = True
    """Scales 1 and 2: compute on an input whose pixels were moved into channels, as Real-ESRGAN does."""


class SRVGGNetCompactSettings(Settings):
    """A chain of convolutions."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels of the hidden layers."""
    convolutions: Annotated[int, Field(ge=0)] = 16
    """Number of convolutions between the first and the last; realesr-general-x4v3 has 32."""
    activation: Literal["prelu", "relu", "leaky-relu"] = "prelu"
    """Activation after every convolution but the last."""


class UNetDiscriminatorSettings(Settings):
    """A U-Net that scores every pixel."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels at full resolution; they double at each of three halvings."""
    skip: bool = True
    """Add features of the way down on the way up, as published."""


class DiscriminatorSettings(Settings):
    """A VGG-style discriminator."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels of the first layer; the last has eight times as many."""
    head: Literal["pooled", "dense"] = "pooled"
    """pooled: global average pooling, works with any crop size; dense: fully connected, as published, which adds 18
    million parameters for crops of 96 pixels."""
    hidden: Annotated[int, Field(ge=1)] = 1024
    """Width of the hidden layer in the head."""
