"""Settings of FSRCNN. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core import Flag, OptimizerSettings, RunSettings, ScheduleSettings, Settings

Count = Annotated[int, Field(ge=1)]


class NetworkSettings(Settings):
    """The three sensitive variables of the paper: FSRCNN(d, s, m)."""

    features: Count = 56
    """Channels of the feature extraction, d; FSRCNN-s: 32."""
    shrunk: Count = 12
    """Channels of the mapping, s; FSRCNN-s: 5."""
    mapping: Count = 4
    """Convolutions of the mapping, m; FSRCNN-s: 1."""


class ModelSettings(NetworkSettings):
    """What rebuilds the network; a weights file stores exactly these."""

    scale: Annotated[int, Field(ge=1, le=8), Flag("--scale")] = 3
    """Factor by which images are upscaled."""


class FSRCNNSettings(RunSettings):
    """Train FSRCNN with the squared error, as published, but with Adam."""

    model: ModelSettings = ModelSettings()
    """The network."""
    crop_size: Annotated[int, Field(ge=8)] = 48
    """Side of the training crops, in pixels of the output."""
    batch_size: Count = 8
    optimizer: OptimizerSettings = OptimizerSettings(
        lr=5e-3, lr_factors={"generator.deconvolution.*": 0.1}, schedule=ScheduleSettings(name="one-cycle", warmup=0.2)
    )
    """The optimizer. The deconvolution learns at a tenth of the rate, as published; the rates suit a short training."""
