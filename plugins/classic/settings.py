"""Settings of the classical methods. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restore.core.settings import Flag, RunSettings, Settings

Scale = Annotated[float, Field(ge=1, le=64)]


class EnlargingModel(Settings):
    """What decides the size of an enlarged picture."""

    scale: Scale = 4.0
    """How many times larger each side becomes."""


class EnlargingSettings(RunSettings):
    """Settings of a method that enlarges pictures."""

    model: EnlargingModel = EnlargingModel()
    """The method's own settings."""


class EnlargingPredict(Settings):
    """Options of ``restore predict``."""

    scale: Annotated[Scale, Flag("--scale")] = 4.0
    """How many times larger each side becomes; any number, as 2.5."""


class EnlargingEvaluate(Settings):
    """Options of ``restore evaluate``."""

    scale: Annotated[Scale | None, Flag("--scale")] = None
    """How many times larger the targets are; unset: read from the pairs. Inputs are made where there are none."""
