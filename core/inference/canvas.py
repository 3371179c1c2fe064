"""The padded tensors of one image and the grid of its tiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import torch
from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.inference.padding import padded
from restore.core.inference.predictor import Predictor
from restore.core.specs import ImageSpec

AUTO_PIXELS = 2**21
"""Largest input or output of one network call, in pixels, with automatic tiling: two million. With 64 channels in fp32
a feature map of that size takes half a gigabyte."""

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
    tensors: Mapping[str, Tensor]
    """Padded tensors (C, H, W) by name."""
    size: tuple[int, int]
    """Height and width of the image without padding."""
    height: int
    width: int
    step: int

    @classmethod
    def of(cls, method: Predictor, inputs: Mapping[str, Tensor]) -> Canvas:
        """Check and pad the inputs of a method. Raises DataError that names the input that does not fit."""
        scales = {spec: exact_scale(spec) for spec in (*method.inputs.values(), *method.outputs.values())}
        step = math.lcm(method.tiling.multiple_of, *(scale.denominator for scale in scales.values()))
        first = inputs[method.main_input]
        size = first.shape[-2], first.shape[-1]
        height, width = (math.ceil(length / step) * step for length in size)
        tensors = {}
        for name, spec in method.inputs.items():
            _check(name, spec, inputs.get(name), size)
            scale = scales[spec]
            tensors[name] = padded(inputs[name].float().cpu(), int(height * scale), int(width * scale), spec.padding)
        return cls(method, tensors, size, height, width, step)

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

    def smaller_edge(self, edge: int | None) -> int | None:
        """Return the edge of the next smaller tiles, or None if there are none."""
        if self.method.tiling.mode == "whole":
            return None
        now = edge or max(self.height, self.width)
        halved = self._up(math.ceil(now / 2))
        return halved if SMALLEST_TILE <= halved < now else None

    def _up(self, length: int) -> int:
        """Round up to a multiple of the step."""
        return math.ceil(length / self.step) * self.step


def exact_scale(spec: ImageSpec) -> Fraction:
    """Return a plane's scale as an exact fraction: 1/3 for 0.333."""
    return Fraction(spec.scale).limit_denominator(1024)


def scaled(length: int, scale: Fraction) -> int:
    """Return the pixels of a plane along an axis of ``length`` input pixels, rounded up."""
    return math.ceil(length * scale)


def _check(name: str, spec: ImageSpec, given: Tensor | None, size: tuple[int, int]) -> None:
    if given is None:
        raise DataError(f"the input {name!r} is missing")
    scale = exact_scale(spec)
    wanted = (spec.channels, *(scaled(length, scale) for length in size))
    if tuple(given.shape) != wanted:
        has, needs = (" x ".join(map(str, shape)) for shape in (given.shape, wanted))
        raise DataError(f"the input {name!r} has {has} channels x height x width; expected {needs}")
    if given.numel() == 0:
        raise DataError(f"the input {name!r} has no pixels")
    if not torch.isfinite(given).all():
        raise DataError(f"the input {name!r} contains NaN or infinite values")
