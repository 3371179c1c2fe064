"""Settings of the classical methods. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from restore.core.settings import Flag, Settings

Scale = Annotated[float, Field(ge=1, le=64)]


class UpscalingModelSettings(Settings):
    """What decides the size of an upscaled image."""

    scale: Scale = 4.0
    """How many times larger each side becomes."""


class UpscalingSettings(Settings):
    """Settings of a method that upscales images."""

    model: UpscalingModelSettings = UpscalingModelSettings()
    """The method's own settings."""


class UpscalingPredictOptions(Settings):
    """Options of ``restore predict``."""

    scale: Annotated[Scale, Flag("--scale")] = 4.0
    """How many times larger each side becomes; any number, as 2.5."""


class UpscalingEvaluateOptions(Settings):
    """Options of ``restore evaluate``."""

    scale: Annotated[Scale | None, Flag("--scale")] = None
    """How many times larger the targets are; unset: read from the pairs. Inputs are made where there are none."""


class InpaintingSettings(Settings):
    """Settings of a method that fills holes; it has none of its own."""


class BlendingSettings(Settings):
    """Settings of a method that puts a patch into an image; it has none of its own."""


class BlendingPredictOptions(Settings):
    """Options of ``restore predict``."""

    patch: Path | None = None
    """Image that is put into the input; it may be smaller."""
    mask: Path | None = None
    """Image of the size of the patch, white where the patch is taken; unset: all of it. What is transparent in the
    patch is never taken."""
    top: Annotated[int, Field(ge=0)] | None = None
    """Row of the input at which the patch begins; unset: in the middle."""
    left: Annotated[int, Field(ge=0)] | None = None
    """Column of the input at which the patch begins; unset: in the middle."""
    mixed: bool = False
    """Keep the stronger of the two textures, that of the input shining through the patch."""
