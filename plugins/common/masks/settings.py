"""Settings of masks, and of using and measuring what fills holes. Imports no torch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from restore.core.settings import Flag, Settings

MaskKind = Literal["rectangles", "strokes", "scratches", "graffiti", "blobs", "border"]
"""What drawn holes look like."""
KINDS: tuple[MaskKind, ...] = get_args(MaskKind)

Polarity = Literal["white-hole", "black-hole"]
"""What marks the hole in mask files."""

Coverage = Annotated[float, Field(ge=0.005, le=0.95)]

AUTOMATIC = "auto:"
"""What stands before a rule by which the hole is found in the image itself."""


class MaskSettings(Settings):
    """Holes: drawn ones, or masks of a folder."""

    kinds: Annotated[list[MaskKind], Field(min_length=1)] = list(KINDS)  # noqa: RUF012 - pydantic copies it
    """What holes look like that are drawn; one kind is chosen at random for each image."""
    coverage: tuple[Coverage, Coverage] = (0.1, 0.4)
    """Smallest and largest part of the image that a drawn hole covers."""
    folder: Annotated[Path | None, Flag("--masks")] = None
    """Folder of mask images (those of its sub-folders too) that are used instead of drawn holes, resized to fit;
    unset: masks/ beside the images where there is one."""
    polarity: Annotated[Polarity, Flag("--mask-polarity")] = "white-hole"
    """Whether the hole is white or black in mask files."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.coverage[0] > self.coverage[1]:
            raise ValueError(
                f"coverage: the smallest part {self.coverage[0]:g} is above the largest {self.coverage[1]:g}"
            )
        return self


class InpaintingPredictOptions(Settings):
    """Options of ``restore predict`` of whatever fills holes."""

    mask: Path | None = None
    """Where the hole is: an image of the size of the input, or a folder of them, named as the inputs are; or
    auto:color=#ff00ff, all that is painted in a color; or auto:alpha, all that is not fully opaque."""
    mask_polarity: Polarity = "white-hole"
    """Whether the hole is white or black in mask files."""
    mask_tolerance: Annotated[int, Field(ge=0, le=255)] = 8
    """auto:color: by how much red, green and blue may each differ from the color, of 255."""
    dilate: Annotated[int, Field(ge=0, le=1000)] = 0
    """Pixels by which the hole is made larger on all sides, where its rim is soiled by what is to be removed."""
    feather: Annotated[int, Field(ge=0, le=1000)] = 0
    """Pixels around the hole over which the answer fades into what is known; these are then changed too. With 0 every
    pixel outside the hole stays as it is, bit for bit. Around holes larger than the window at most the context."""
    blend: Literal["none", "poisson"] = "none"
    """poisson: take over the answer's texture and bend its colors until no seam is left; slow for large holes."""
    window: Annotated[int, Field(ge=16)] | None = None
    """Largest side in pixels at which a hole and what is around it are worked on at once; larger holes are filled
    coarsely first and refined in parts. Unset: the size that the method was made for."""
    context: Annotated[int, Field(ge=1)] | None = None
    """Pixels around a hole that are shown along with it where the image is larger than the window; unset: a quarter
    of the window."""

    @model_validator(mode="after")
    def _rule_is_known(self) -> Self:
        rule = self.automatic
        if rule is not None and rule != "alpha" and self.color is None:
            raise ValueError(
                f"mask: {AUTOMATIC}{rule} is no rule for finding a hole; there are auto:color=#rrggbb and auto:alpha"
            )
        if self.blend == "poisson" and self.feather:
            raise ValueError("feather: poisson leaves no seam that could be faded; choose one of the two")
        return self

    @property
    def automatic(self) -> str | None:
        """The rule by which the hole is found in the image itself, as ``alpha``; none where there is a file."""
        text = "" if self.mask is None else str(self.mask)
        return text.removeprefix(AUTOMATIC) if text.startswith(AUTOMATIC) else None

    @property
    def color(self) -> tuple[int, int, int] | None:
        """Red, green and blue of 255 that mark the hole, if a color does."""
        found = re.fullmatch(r"colou?r=#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", self.automatic or "")
        return None if found is None else (int(found[1], 16), int(found[2], 16), int(found[3], 16))


class InpaintingEvaluateOptions(Settings):
    """Options of ``restore evaluate`` of whatever fills holes."""

    masks: MaskSettings = MaskSettings()
    """Holes in images that come without masks, of which the middle squares are measured, up to 256 pixels."""
