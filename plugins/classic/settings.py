"""Settings of the classical methods. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from restore.core.settings import Flag, ImagePath, Settings
from restore.plugins.common.super_resolution.settings import DegradedEvaluateOptions

Scale = Annotated[float, Field(ge=1, le=64)]


class UpscalingModelSettings(Settings):
    """Size of the upscaled image."""

    scale: Scale = 4.0
    """Scale factor: how many times larger each side becomes."""


class UpscalingSettings(Settings):
    """Settings of a method that upscales images."""

    model: UpscalingModelSettings = UpscalingModelSettings()
    """The method's own settings."""


class UpscalingPredictOptions(Settings):
    """Options of ``restore predict``."""

    scale: Annotated[Scale, Flag("--scale")] = 4.0
    """Scale factor: how many times larger each side becomes, such as 2 or 2.5."""


class UpscalingEvaluateOptions(DegradedEvaluateOptions):
    """Options of ``restore evaluate``."""

    scale: Annotated[Scale | None, Flag("--scale")] = None
    """Scale factor of the targets; unset: read from the pairs. Without input images, inputs are made from the
    targets."""


class InpaintingSettings(Settings):
    """Settings of a classical inpainting method (none)."""


class BlendingSettings(Settings):
    """Settings of Poisson blending (none)."""


class BlendingPredictOptions(Settings):
    """Options of ``restore predict``."""

    patch: Annotated[Path | None, ImagePath()] = None
    """Image to paste into the input; it may be smaller than the input."""
    mask: Annotated[Path | None, ImagePath()] = None
    """Mask of the patch's size, white where the patch is used; unset: the whole patch. Transparent pixels of the patch
    are never used."""
    top: Annotated[int, Field(ge=0)] | None = None
    """Row of the input where the patch begins; unset: centered."""
    left: Annotated[int, Field(ge=0)] | None = None
    """Column of the input where the patch begins; unset: centered."""
    mixed: bool = False
    """Mixed gradients: at each pixel keep the stronger of the two gradients, so that the input's texture shows through
    the patch."""
