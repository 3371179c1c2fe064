"""Specs of the images that go into and come out of a network, and how they may be tiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ImageSpec:
    """Spec of one input or output image of a network."""

    channels: int = 3
    low: float = 0.0
    """Value of black."""
    high: float = 1.0
    """Value of white."""
    scale: float = 1.0
    """Height and width relative to the main input."""
    padding: Literal["reflect", "edge", "zero"] = "reflect"
    """How the image is padded."""
    smooth: bool = True
    """Whether values may be interpolated; False for masks and class indices."""


@dataclass(frozen=True)
class Tiling:
    """How an image may be cut into tiles for a network."""

    mode: Literal["exact", "blend", "whole"] = "blend"
    """exact: a tile with ``halo`` pixels around it gives the same result as the whole image; blend: overlapping tiles
    are cross-faded; whole: the image must not be cut."""
    halo: int = 16
    """Receptive-field margin: input pixels that a tile needs on each side beyond its own."""
    multiple_of: int = 1
    """Input height and width must be multiples of this; the engine pads the input and crops the output."""
