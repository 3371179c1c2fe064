"""Settings of upsample. This module imports no torch, so that ``restore train upsample --help`` is fast."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core import Flag, OptimizerSettings, ResumeSafe, RunSettings, ScheduleSettings, Settings


class NetworkSettings(Settings):
    """The arguments of the network. Other families can use it too: ``restore train srgan --arch upsample``."""

    channels: Annotated[int, Field(ge=1)] = 24
    """Channels between the first layer and the last."""
    blocks: Annotated[int, Field(ge=0)] = 4
    """Residual blocks."""


class ModelSettings(NetworkSettings):
    """What rebuilds the network; a weights file stores exactly these."""

    scale: Annotated[int, Field(ge=1, le=8), Flag("--scale")] = 2
    """Factor by which images are upscaled."""


class UpsampleSettings(RunSettings):
    """Train upsample. Each docstring below a setting is the help text of its flag."""

    model: ModelSettings = ModelSettings()
    """The network."""
    crop_size: Annotated[int, Field(ge=8)] = 48
    """Side of the training crops, in pixels of the output."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 10
    """Number of epochs."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=2e-3, schedule=ScheduleSettings(name="one-cycle", warmup=0.2))
    """The optimizer."""
