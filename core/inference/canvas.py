"""The inputs of one image, padded, and the grid of its tiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.inference.padding import read_window
from restore.core.inference.predictor import Predictor
from restore.core.inference.readers import ImageReader, as_reader
from restore.core.specs import ImageSpec

AUTO_PIXELS = 2**20
"""Largest input or output of one network call, in pixels, with automatic tiling: one million. With 64 channels in fp32
a feature map of that size takes a quarter of a gigabyte, and a network holds several."""

SMALLEST_TILE = 16
"""Smallest edge of a tile in pixels; smaller tiles are not halved."""

Tile = Literal["auto"] | int | None


@dataclass(frozen=True)
class Canvas:
    """The inputs of one image, padded so that every tensor has a whole number of pixels.

    Lengths are in pixels of the main input. Every cut is at a multiple of ``step``, which satisfies the networks and
    gives tensors of other scales whole pixels.
    """

    method: Predictor
    readers: Mapping[str, ImageReader]
    """The inputs by name, without padding."""
    size: tuple[int, int]
    """Height and width of the image without padding."""
    height: int
    width: int
    step: int

    @classmethod
    def of(cls, method: Predictor, inputs: Mapping[str, Tensor | ImageReader]) -> Canvas:
        """Check the inputs of a method. Raises DataError that names the input that does not fit."""
        scales = {spec: exact_scale(spec) for spec in (*method.inputs.values(), *method.outputs.values())}
        step = math.lcm(method.tiling.multiple_of, *(scale.denominator for scale in scales.values()))
        readers = {name: as_reader(given) for name, given in inputs.items()}
        _, *size = readers[method.main_input].shape
        height, width = (math.ceil(length / step) * step for length in size)
        for name, spec in method.inputs.items():
            _check(name, spec, readers.get(name), (size[0], size[1]))
        return cls(method, readers, (size[0], size[1]), height, width, step)

    def window(self, name: str, rows: slice, columns: slice) -> Tensor:
        """Return a window (C, h, w) of an input; rows and columns are those of the main input, also in the padding.

        Raises DataError if it contains NaN or infinite values.
        """
        spec = self.method.inputs[name]
        scale = exact_scale(spec)
        down, across = (slice(int(part.start * scale), int(part.stop * scale)) for part in (rows, columns))
        found = read_window(self.readers[name], down, across, spec.padding)
        if not torch.isfinite(found).all():
            raise DataError(f"the input {name!r} contains NaN or infinite values")
        return found

    def rows_of(self, spec: ImageSpec, rows: slice) -> slice:
        """Return the rows of a plane, without padding, that belong to rows of the main input."""
        scale = exact_scale(spec)
        end = scale_side(self.size[0], scale)
        return slice(min(int(rows.start * scale), end), min(int(rows.stop * scale), end))

    def shape_of(self, spec: ImageSpec) -> tuple[int, int, int]:
        """Return channels, height and width of a plane, without padding."""
        height, width = (scale_side(length, exact_scale(spec)) for length in self.size)
        return spec.channels, height, width

    @property
    def halo(self) -> int:
        """Halo of a tile in pixels, rounded up to the grid."""
        return self._up(self.method.tiling.halo)

    @property
    def largest_scale(self) -> float:
        """Scale of the largest plane relative to the main input, at least 1."""
        specs = (*self.method.inputs.values(), *self.method.outputs.values())
        return max(1.0, *(float(exact_scale(plane)) for plane in specs))

    def first_edge(self, tile: Tile) -> int | None:
        """Return the initial edge of the tiles; None for the whole image. Raises UsageError if it must not be cut."""
        if self.method.tiling.mode == "whole" or tile is None:
            if isinstance(tile, int):
                raise UsageError("--tile: this task must see the whole image and supports no tiles; leave --tile out")
            return None
        if tile == "auto":
            if self.height * self.width * self.largest_scale**2 <= AUTO_PIXELS:
                return None
            seen = math.isqrt(AUTO_PIXELS) / self.largest_scale
            # With a halo that takes up the whole tile there would be no end of tiles.
            tile = max(int(seen) - 2 * self.halo, self.halo, SMALLEST_TILE)
            tile = max(tile // self.step * self.step, self.step)
        edge = self._up(tile)
        return edge if edge < max(self.height, self.width) else None

    def halve_edge(self, edge: int | None) -> int | None:
        """Return the edge of the next smaller tiles, or None if there are none."""
        if self.method.tiling.mode == "whole":
            return None
        now = edge or max(self.height, self.width)
        halved = self._up(math.ceil(now / 2))
        return halved if SMALLEST_TILE <= halved < now else None

    def _up(self, length: int) -> int:
        """Round up to a multiple of the step."""
        return math.ceil(length / self.step) * self.step


@lru_cache
def exact_scale(spec: ImageSpec) -> Fraction:
    """Return a plane's scale as an exact fraction: 1/3 for 0.333."""
    return Fraction(spec.scale).limit_denominator(1024)


def scale_side(length: int, scale: Fraction) -> int:
    """Return the pixels of a plane along an axis of ``length`` input pixels, rounded up."""
    return math.ceil(length * scale)


def _check(name: str, spec: ImageSpec, given: ImageReader | None, size: tuple[int, int]) -> None:
    if given is None:
        raise DataError(f"the input {name!r} is missing")
    scale = exact_scale(spec)
    wanted = (spec.channels, *(scale_side(length, scale) for length in size))
    if tuple(given.shape) != wanted:
        has, needs = (" x ".join(map(str, shape)) for shape in (given.shape, wanted))
        raise DataError(f"the input {name!r} has {has} channels x height x width; expected {needs}")
    if 0 in wanted:
        raise DataError(f"the input {name!r} has no pixels")
