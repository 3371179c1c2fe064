"""Settings of the data of super-resolution. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core.settings import Flag, RegisteredName, Settings
from restore.plugins.common.degradation.settings import DegradationSettings
from restore.plugins.common.registered import RegisteredSettings

SAMPLE = "common/super-resolution"
"""The dataset that is the sample when there is no ``--data``."""


class SuperResolutionData(RegisteredSettings):
    """The data: pairs, or images that become targets."""

    name: Annotated[str, RegisteredName("datasets", roles=("super-resolution", "images")), Flag("--dataset")] = SAMPLE
    """Dataset: pairs of images, or images from which pairs are made."""


class SuperResolutionEvaluateOptions(Settings):
    """Options of ``restore evaluate``."""

    dataset: SuperResolutionData = Field(default_factory=SuperResolutionData)
    """The data to measure on."""


class DegradedEvaluateOptions(SuperResolutionEvaluateOptions):
    """Options of ``restore evaluate`` that may degrade the inputs."""

    degradation: DegradationSettings = DegradationSettings()
    """How inputs are made of targets; without it by bicubic downscaling alone, as in published tables."""
