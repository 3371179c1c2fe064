"""The pictures that go into and come out of a network, and how a network may be run on parts of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from torch import Tensor

if TYPE_CHECKING:
    from restore.core.pictures.files import Picture


@dataclass(frozen=True)
class Plane:
    """One named picture that goes into or comes out of a network."""

    channels: int = 3
    low: float = 0.0
    """Value of black."""
    high: float = 1.0
    """Value of white."""
    scale: float = 1.0
    """Height and width relative to the first input."""
    padding: Literal["reflect", "edge", "zero"] = "reflect"
    """How the picture is continued where a network needs more than there is."""
    smooth: bool = True
    """Whether values between two pixels mean something; masks and class numbers are not smooth."""


@dataclass(frozen=True)
class Tiling:
    """How a network may be run on parts of a picture."""

    mode: Literal["exact", "blend", "whole"] = "blend"
    """exact: with ``halo`` pixels around it a tile equals the same part of the whole; blend: overlapping tiles are
    cross-faded; whole: the network must see the whole picture."""
    halo: int = 16
    """Input pixels that a tile needs on each side beyond its own."""
    multiple_of: int = 1
    """Input height and width must be multiples of this; the engine pads and crops."""


@dataclass(frozen=True)
class Rendered:
    """A picture to write that takes over from the input only what it has in common with it, as a mask does."""

    picture: Tensor
    """(C, H, W) in [0, 1]."""
    depth: bool = True
    """16 bits a channel where the input has them; else always 8."""
    alpha: bool = True
    """The input's alpha channel, unless the picture has one."""
    profile: bool = True
    """The input's colour profile."""

    def taken_from(self, like: Picture | None) -> Picture | None:
        """The input without what is not taken over from it."""
        if like is None:
            return None
        return replace(
            like,
            bits=like.bits if self.depth else 8,
            alpha=like.alpha if self.alpha else None,
            icc=like.icc if self.profile else None,
        )
