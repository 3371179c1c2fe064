"""Settings of your-net. This module imports no torch, so that ``restore train your-net --help`` is fast."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core import OptimizerSettings, ResumeSafe, RunSettings, ScheduleSettings, Settings


class ModelSettings(Settings):
    """What rebuilds the network; a weights file stores exactly these. Add the settings of your network here."""

    channels: Annotated[int, Field(ge=1)] = 12
    """Channels of the first level; each coarser level has twice as many."""


class YourNetSettings(RunSettings):
    """Train your-net. Each docstring below a setting is the help text of its flag."""

    model: ModelSettings = ModelSettings()
    """The network."""
    size: Annotated[int, Field(ge=16)] = 96
    """Side of the training images in pixels; others are resized."""
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Fraction of the data held out for validation, without --val-data."""
    batch_size: Annotated[int, Field(ge=1)] = 8
    """Samples per optimizer step, summed over all processes and micro-batches."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 5
    """Number of epochs."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=4e-3, schedule=ScheduleSettings(name="one-cycle", warmup=0.2))
    """The optimizer."""
