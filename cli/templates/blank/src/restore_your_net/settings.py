"""Settings of your-net. This module imports no torch, so that ``restore train your-net --help`` is fast."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core import OptimizerSettings, ResumeSafe, RunSettings, Settings


class ModelSettings(Settings):
    """What rebuilds the network; a weights file stores exactly these."""

    channels: Annotated[int, Field(ge=1)] = 16
    """Channels between the two layers."""


class YourNetSettings(RunSettings):
    """Train your-net. Each docstring below a setting is the help text of its flag."""

    model: ModelSettings = ModelSettings()
    """The network."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 3
    """Number of epochs."""
    optimizer: OptimizerSettings = OptimizerSettings(lr=1e-2)
    """The optimizer."""
