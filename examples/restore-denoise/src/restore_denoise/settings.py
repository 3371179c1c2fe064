"""Settings of denoising. Imports no torch, so that ``restore train denoise --help`` is quick."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core import Flag, OptimizerSettings, ResumeSafe, RunSettings, ScheduleSettings, Settings

Level = Annotated[float, Field(gt=0, le=255)]


class ModelSettings(Settings):
    """What rebuilds the network; a weights file keeps these."""

    channels: Annotated[int, Field(ge=1)] = 32
    """Channels between the first layer and the last."""
    depth: Annotated[int, Field(ge=2)] = 6
    """Convolutions."""
    noise: Annotated[Level, Flag("--noise")] = 25.0
    """Standard deviation of the noise that the network is made for, of 255."""


class DenoisingSettings(RunSettings):
    """Settings of a run; without --data it trains on the photographs that ship with scikit-image."""

    model: ModelSettings = ModelSettings()
    """The network, and what it is made for."""
    crop_size: Annotated[int, Field(ge=8)] = 48
    """Height and width of the parts of images that are trained on, in pixels."""
    edge_weight: Annotated[float, Field(ge=0)] = 0.5
    """Factor of the loss between slopes; 0: pixels alone."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 10
    """Epochs."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=1e-3, schedule=ScheduleSettings(name="cosine", warmup=0.05))
    """The optimizer."""


class DenoiseEvaluateOptions(Settings):
    """What ``restore evaluate`` may be told; the network is made for one level of noise and may be tried on another."""

    noise: Level | None = None
    """Standard deviation of the noise that is added to the images, of 255; unset: what the network was made for."""
