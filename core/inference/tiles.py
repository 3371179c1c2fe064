"""Tile positions and blend weights along one axis."""

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
    """End of the tile's own pixels; the own pixels of all tiles cover the axis exactly once."""
    seen_start: int
    seen_stop: int
    """End of the network's input: own pixels, halo up to the image border, and pixels that make all tiles equal."""


def tile_spans(length: int, edge: int, halo: int, step: int) -> list[TileSpan]:
    """Cut an axis into tiles whose network inputs have equal size: at most ``edge`` plus a halo on both sides.

    With equal sizes the kernels of every convolution are prepared only once. All coordinates are multiples of ``step``,
    so a network with several resolutions sees a tile on the same grid as the whole image.

    Args:
        length: length of the axis in pixels, a multiple of ``step``.
        edge: largest number of own pixels of a tile, a multiple of ``step``.
        halo: pixels beyond the own ones on each side, a multiple of ``step``.
        step: grid of all cuts.
    """
    count = math.ceil(length / edge)
    bounds = [index * (length // step) // count * step for index in range(count + 1)]
    widest = max(stop - start for start, stop in pairwise(bounds))
    even = _place_tiles(bounds, length, min(length, widest + 2 * halo), halo)
    # Tiles at the ends need a halo on one side only, so they may have more own pixels. This avoids computing pixels
    # twice, as long as the tiles between them stay wide enough to fade.
    seen = math.ceil((length + 2 * halo * (count - 1)) / count / step) * step
    if count > 1 and seen < length:
        starts = [index * ((length - seen) // step) // (count - 1) * step for index in range(count)]
        balanced = _place_tiles([0, *(start + halo for start in starts[1:]), length], length, seen, halo)
        if fade_width(balanced, halo) >= fade_width(even, halo):
            return balanced
    return even


def _place_tiles(bounds: list[int], length: int, seen: int, halo: int) -> list[TileSpan]:
    """Return the tiles between bounds, with network inputs of ``seen`` pixels; at the ends more than the halo."""
    starts = [min(max(0, start - halo), length - seen) for start in bounds[:-1]]
    return [TileSpan(*own, at, at + seen) for own, at in zip(pairwise(bounds), starts, strict=True)]


def fade_width(pieces: list[TileSpan], halo: int) -> int:
    """Return the width of the cross-fade in input pixels: pixels that both neighbors see, never a third tile."""
    return min(halo, *(piece.stop - piece.start for piece in pieces))


def blend_weights(piece: TileSpan, length: int, fade: int, scale: Fraction) -> Tensor:
    """Return the weights (N,) of the output pixels of a tile; over all tiles the weights of a pixel sum to one.

    Args:
        piece: the tile.
        length: length of the axis in input pixels.
        fade: width of the cross-fade in input pixels; 0: only own pixels count.
        scale: output pixels per input pixel.
    """
    first, last = int(piece.seen_start * scale), int(piece.seen_stop * scale)
    centers = torch.arange(first, last, dtype=torch.float64) + 0.5
    width = float(fade * scale)

    def risen(bound: int) -> Tensor:
        """Return weights that rise from 0 to 1 around a bound."""
        if bound == 0:
            return torch.ones_like(centers)
        if bound == length:
            return torch.zeros_like(centers)
        distance = centers - float(bound * scale)
        if width == 0:
            return (distance > 0).double()
        return torch.sin(math.pi / 2 * (distance / width + 0.5).clamp(0, 1)) ** 2

    return (risen(piece.start) - risen(piece.stop)).float()
