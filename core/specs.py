"""The images that go into and come out of a network, and how a network may be run on parts of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ImageSpec:
    """One named image that goes into or comes out of a network."""

    channels: int = 3
    low: float = 0.0
    """Value of black."""
    high: float = 1.0
    """Value of white."""
    scale: float = 1.0
    """Height and width relative to the main input."""
    padding: Literal["reflect", "edge", "zero"] = "reflect"
    """How the image is continued where a network needs more than there is."""
    smooth: bool = True
    """Whether values between two pixels mean something; masks and class numbers are not smooth."""


@dataclass(frozen=True)
class Tiling:
    """How a network may be run on parts of an image."""

    mode: Literal["exact", "blend", "whole"] = "blend"
    """exact: with ``halo`` pixels around it a tile equals the same part of the whole; blend: overlapping tiles are
    cross-faded; whole: the network must see the whole image."""
    halo: int = 16
    """Input pixels that a tile needs on each side beyond its own."""
    multiple_of: int = 1
    """Input height and width must be multiples of this; the engine pads and crops."""
