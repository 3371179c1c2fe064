"""Settings of the networks: what each architecture can be built with. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core.settings import Settings


class ConvolutionalSettings(Settings):
    """Convolutions that halve and double height and width, with residual blocks."""

    channels: Annotated[int, Field(ge=1)] = 16
    """Channels at full resolution; deeper layers have up to four times as many."""
    depth: Annotated[int, Field(ge=1, le=7)] = 3
    """Number of downsampling steps in the encoder; a position of the latent code covers 2^depth x 2^depth pixels."""
