"""Settings of WarpGAN's networks: what each architecture can be built with. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from restore.core.settings import Settings


class WarpGeneratorSettings(Settings):
    """Encoders, decoder and warp controller."""

    channels: Annotated[int, Field(ge=1)] = 16
    """Channels of the first layer; deeper layers have up to four times as many. Default with --data: 64."""
    points: Annotated[int, Field(ge=4)] = 16
    """Number of control points of the warp."""
    controller: Literal["pooled", "dense"] = "pooled"
    """Warp controller. pooled: predicts control points from average-pooled features; dense: from the features of all
    positions, as published (134 million parameters at 256 pixels)."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout probability in the style and the warp controller."""


class IdentityDiscriminatorSettings(Settings):
    """Halving convolutions, a classifier of patches and one of identities."""

    channels: Annotated[int, Field(ge=1)] = 16
    """Channels of the first layer; the last has sixteen times as many. Default with --data: 32."""
    embedding: Annotated[int, Field(ge=2)] = 512
    """Dimensions of the face embedding."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout probability before the embedding."""
