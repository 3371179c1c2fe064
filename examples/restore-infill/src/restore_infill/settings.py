"""Settings of infill. This module imports no torch, so that ``restore train infill --help`` is fast."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core import OptimizerSettings, ResumeSafe, RunSettings, ScheduleSettings, Settings
from restore.plugins.common.masks.settings import MaskSettings


class ModelSettings(Settings):
    """What rebuilds the network; a weights file stores exactly these. Add the settings of your network here."""

    channels: Annotated[int, Field(ge=1)] = 16
    """Channels between the first layer and the last."""
    levels: Annotated[int, Field(ge=1, le=7)] = 4
    """Number of dilated convolutions; each sees twice as far as the one before it."""


class InfillSettings(RunSettings):
    """Train infill. Each docstring below a setting is the help text of its flag."""

    model: ModelSettings = ModelSettings()
    """The network."""
    masks: MaskSettings = MaskSettings()
    """The holes to train with."""
    crop_size: Annotated[int, Field(ge=16)] = 64
    """Side of the training crops in pixels."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 5
    """Number of epochs."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=2e-3, schedule=ScheduleSettings(name="one-cycle", warmup=0.2))
    """The optimizer."""
