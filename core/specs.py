"""Specs of the images that go into and come out of a network, how they may be tiled, and what classes they show."""

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


@dataclass(frozen=True)
class ClassMap:
    """One class of a segmentation."""

    name: str
    color: tuple[float, float, float] | None
    """Red, green and blue in [0, 1]; None for a background that is not drawn."""
    part: str = ""
    """Part of the result that is the map of its probability, as `Method.render` names it: one channel in [0, 1]."""


@dataclass(frozen=True)
class ClassMaps:
    """Says which parts of a result are maps of classes, so that a page can lay them over the input with a legend.

    Classes that overlap, or a single one, have a map of probabilities each, which a page thresholds without another
    prediction. Classes that exclude each other have one map of class numbers.
    """

    classes: tuple[ClassMap, ...]
    numbers: str | None = None
    """Part of the result whose 8-bit values are indices into ``classes``; None: each class has its ``part``."""
    threshold: float = 0.5
    """Probability above which a pixel belongs to a class."""
    option: str | None = None
    """Name of the option of ``restore predict`` that is the threshold; None: the threshold is fixed."""
