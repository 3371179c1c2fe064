"""Where an image is cut, and how much of each tile counts: one axis at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import torch
from torch import Tensor


@dataclass(frozen=True)
class TileSpan:
    """One tile along one axis, in input pixels."""

    start: int
    stop: int
    """Its own pixels; those of all tiles are the whole axis, each once."""
    seen_start: int
    seen_stop: int
    """What the network is shown: its own pixels, the halo as far as the image goes, and what makes all tiles alike."""


def tile_spans(length: int, edge: int, halo: int, step: int) -> list[TileSpan]:
    """Cut an axis into tiles that are shown to the network at one size, at most ``edge`` and a halo on both sides.

    One size means one shape of every convolution, whose kernels are prepared once. ``length``, ``edge`` and ``halo``
    are multiples of ``step``, and so is every coordinate: a network that works at several resolutions sees a tile on
    the same grid as the whole.
    """
    count = math.ceil(length / edge)
    bounds = [index * (length // step) // count * step for index in range(count + 1)]
    widest = max(stop - start for start, stop in pairwise(bounds))
    even = _shown(bounds, length, min(length, widest + 2 * halo), halo)
    # Tiles at the ends need a halo on one side only. Where they take more of the axis in return nothing is seen twice
    # that need not be, provided that the tiles between them do not become too narrow to fade.
    seen = math.ceil((length + 2 * halo * (count - 1)) / count / step) * step
    if count > 1 and seen < length:
        starts = [index * ((length - seen) // step) // (count - 1) * step for index in range(count)]
        balanced = _shown([0, *(start + halo for start in starts[1:]), length], length, seen, halo)
        if fade_width(balanced, halo) >= fade_width(even, halo):
            return balanced
    return even


def _shown(bounds: list[int], length: int, seen: int, halo: int) -> list[TileSpan]:
    """Tiles between bounds, of which ``seen`` pixels each are shown: at the ends more than the halo."""
    starts = [min(max(0, start - halo), length - seen) for start in bounds[:-1]]
    return [TileSpan(*own, at, at + seen) for own, at in zip(pairwise(bounds), starts, strict=True)]


def fade_width(pieces: list[TileSpan], halo: int) -> int:
    """Input pixels over which neighbors are cross-faded: what both have seen, never reaching a third tile."""
    return min(halo, *(piece.stop - piece.start for piece in pieces))


def blend_weights(piece: TileSpan, length: int, fade: int, scale: Fraction) -> Tensor:
    """How much each output pixel (N,) that a tile made counts; over all tiles the shares of a pixel sum to one.

    ``fade`` is in input pixels; with none, a tile gives its own pixels alone.
    """
    first, last = int(piece.seen_start * scale), int(piece.seen_stop * scale)
    centers = torch.arange(first, last, dtype=torch.float64) + 0.5
    width = float(fade * scale)

    def risen(bound: int) -> Tensor:
        """The share of what lies beyond a bound: nothing well before it, everything well after it."""
        if bound == 0:
            return torch.ones_like(centers)
        if bound == length:
            return torch.zeros_like(centers)
        distance = centers - float(bound * scale)
        if width == 0:
            return (distance > 0).double()
        return torch.sin(math.pi / 2 * (distance / width + 0.5).clamp(0, 1)) ** 2

    return (risen(piece.start) - risen(piece.stop)).float()
