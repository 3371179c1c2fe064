"""Settings of masks, and options of inpainting for ``predict`` and ``evaluate``. Imports no torch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from restore.core.settings import Flag, ImagePath, MayMove, RegisteredName, Settings
from restore.plugins.common.registered import RegisteredSettings

MaskKind = Literal["rectangles", "strokes", "scratches", "graffiti", "blobs", "border"]
"""Kinds of random masks."""
KINDS: tuple[MaskKind, ...] = get_args(MaskKind)

Polarity = Literal["white-hole", "black-hole"]
"""Which color marks the hole in mask files."""

Coverage = Annotated[float, Field(ge=0.005, le=0.95)]

AUTOMATIC = "auto:"
"""Prefix of a rule that finds the hole in the image itself."""


class MaskSettings(Settings):
    """Masks: random ones, or those of a folder."""

    kinds: Annotated[list[MaskKind], Field(min_length=1)] = list(KINDS)  # noqa: RUF012 - pydantic copies it
    """Kinds of random masks; one is chosen at random for each image."""
    coverage: tuple[Coverage, Coverage] = (0.1, 0.4)
    """Smallest and largest fraction of the image that a random mask covers."""
    folder: Annotated[Path | None, Flag("--masks"), MayMove()] = None
    """Folder of mask files to use instead of random masks, searched recursively; masks are resized to fit. Unset:
    masks/ next to the images, if it exists."""
    polarity: Annotated[Polarity, Flag("--mask-polarity")] = "white-hole"
    """Whether the hole is white or black in mask files."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.coverage[0] > self.coverage[1]:
            raise ValueError(
                f"coverage: the smallest fraction, {self.coverage[0]:g}, is above the largest, {self.coverage[1]:g}"
            )
        return self


class InpaintingPredictOptions(Settings):
    """Options of ``restore predict`` for inpainting."""

    mask: Annotated[Path | None, ImagePath("mask")] = None
    """The mask: a file of the input's size; a folder of masks named like the inputs; auto:color=#ff00ff for all pixels
    of a color; or auto:alpha for all pixels that are not fully opaque."""
    mask_polarity: Polarity = "white-hole"
    """Whether the hole is white or black in mask files."""
    mask_tolerance: Annotated[int, Field(ge=0, le=255)] = 8
    """auto:color: tolerance of red, green and blue, from 0 to 255; beside pixels within it, larger differences count
    up to 8 pixels away, as JPEG makes them. 0: exactly this color."""
    dilate: Annotated[int, Field(ge=0, le=1000)] = 0
    """Dilate the mask by this many pixels, for holes whose border still shows the object to be removed."""
    feather: Annotated[int, Field(ge=0, le=1000)] = 0
    """Blend the result into the image over this many pixels around the hole, which changes these pixels. With 0 all
    pixels outside the hole stay unchanged, bit for bit. For holes larger than the window it is at most the context."""
    blend: Literal["none", "poisson"] = "none"
    """poisson: keep the texture of the result and match its colors at the seam; slow for large holes."""
    window: Annotated[int, Field(ge=16)] | None = None
    """Largest side in pixels of a hole and its surroundings that is processed at once; larger holes are filled from
    coarse to fine. Unset: the size that the method was trained at."""
    context: Annotated[int, Field(ge=1)] | None = None
    """Pixels of surroundings around a hole that the method sees if the image is larger than the window; unset: a
    quarter of the window."""

    @model_validator(mode="after")
    def _rule_is_known(self) -> Self:
        rule = self.automatic
        if rule is not None and rule != "alpha" and self.color is None:
            raise ValueError(f"mask: unknown rule {AUTOMATIC}{rule}; expected auto:color=#rrggbb or auto:alpha")
        if self.blend == "poisson" and self.feather:
            raise ValueError("feather and blend=poisson cannot be combined; choose one of the two")
        return self

    @property
    def automatic(self) -> str | None:
        """The rule that finds the hole in the image itself, such as ``alpha``; None for a mask file."""
        text = "" if self.mask is None else str(self.mask)
        return text.removeprefix(AUTOMATIC) if text.startswith(AUTOMATIC) else None

    @property
    def color(self) -> tuple[int, int, int] | None:
        """Red, green and blue (0 to 255) that mark the hole; None without a color rule."""
        found = re.fullmatch(r"colou?r=#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", self.automatic or "")
        return None if found is None else (int(found[1], 16), int(found[2], 16), int(found[3], 16))


SAMPLE = "common/images"
"""The dataset that is the sample when there is no ``--data``."""


class InpaintingData(RegisteredSettings):
    """The data: images, which get masks, or images with masks of their own."""

    name: Annotated[str, RegisteredName("datasets", roles=("images", "inpainting")), Flag("--dataset")] = SAMPLE
    """Dataset of images, or of images with masks."""


class InpaintingEvaluateOptions(Settings):
    """Options of ``restore evaluate`` for inpainting."""

    dataset: InpaintingData = Field(default_factory=InpaintingData)
    """The data to measure on."""
    masks: MaskSettings = MaskSettings()
    """Masks for images that have none; these images are measured on their center squares of up to 256 pixels."""
