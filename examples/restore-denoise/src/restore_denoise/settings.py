"""Settings of denoise. This module imports no torch, so that ``restore train denoise --help`` is fast."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core import Flag, OptimizerSettings, ResumeSafe, RunSettings, ScheduleSettings, Settings

Noise = Annotated[float, Field(gt=0, le=255)]


class NetworkSettings(Settings):
    """The arguments of the network. Other families can use it too, by its name."""

    channels: Annotated[int, Field(ge=1)] = 24
    """Channels between the first layer and the last."""
    depth: Annotated[int, Field(ge=2)] = 6
    """Number of convolutions."""


class ModelSettings(NetworkSettings):
    """What rebuilds the network; a weights file stores exactly these."""

    noise: Annotated[Noise, Flag("--noise")] = 25.0
    """Standard deviation of the noise that the network removes, of 255."""


class DenoiseSettings(RunSettings):
    """Train denoise. Each docstring below a setting is the help text of its flag."""

    model: ModelSettings = ModelSettings()
    """The network."""
    crop_size: Annotated[int, Field(ge=8)] = 48
    """Side of the training crops in pixels."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 10
    """Number of epochs."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=2e-3, schedule=ScheduleSettings(name="one-cycle", warmup=0.2))
    """The optimizer."""


class DenoiseEvaluateOptions(Settings):
    """Options of ``restore evaluate``."""

    noise: Noise | None = None
    """Standard deviation of the noise that is added to the images, of 255; unset: what the network was trained for."""
