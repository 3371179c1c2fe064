"""Settings of the classical methods. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from restore.core.settings import Flag, Settings

Scale = Annotated[float, Field(ge=1, le=64)]


class EnlargingModel(Settings):
    """What decides the size of an enlarged picture."""

    scale: Scale = 4.0
    """How many times larger each side becomes."""


class EnlargingSettings(Settings):
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


class FillingSettings(Settings):
    """Settings of a method that fills holes; it has none of its own."""


class BlendingSettings(Settings):
    """Settings of a method that puts a patch into a picture; it has none of its own."""


class BlendingPredict(Settings):
    """Options of ``restore predict``."""

    patch: Path | None = None
    """Picture that is put into the input; it may be smaller."""
    mask: Path | None = None
    """Picture of the size of the patch, white where the patch is taken; unset: all of it. What is transparent in the
    patch is never taken."""
    top: Annotated[int, Field(ge=0)] | None = None
    """Row of the input at which the patch begins; unset: in the middle."""
    left: Annotated[int, Field(ge=0)] | None = None
    """Column of the input at which the patch begins; unset: in the middle."""
    mixed: bool = False
    """Keep the stronger of the two textures, that of the input shining through the patch."""
