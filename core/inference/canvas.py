"""The tensors of one image on a common grid, and where its tiles lie."""

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
"""Largest input or output, in pixels, of one call of the networks when tiles are cut automatically: two million. With
64 channels in fp32 that is half a gigabyte a feature map."""

SMALLEST_TILE = 16
"""Edge in pixels below which a tile is not halved any more."""

Tile = Literal["auto"] | int | None


@dataclass(frozen=True)
class Canvas:
    """The inputs of one image, continued to a size at which every tensor has whole pixels.

    Lengths are in pixels of the main input. Every cut lies on a multiple of ``step``: what the networks ask for, and
    what gives tensors of another scale whole pixels.
    """

    method: Predictor
    tensors: Mapping[str, Tensor]
    """(C, H, W) each, padded."""
    size: tuple[int, int]
    """Height and width of the image itself."""
    height: int
    width: int
    step: int

    @classmethod
    def of(cls, method: Predictor, inputs: Mapping[str, Tensor]) -> Canvas:
        """Check and pad the inputs of a method. Raises DataError naming what does not fit."""
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
        """Pixels around a tile that its networks must see, on the grid."""
        return self._up(self.method.tiling.halo)

    @property
    def largest_scale(self) -> float:
        """How much larger than the main input the largest plane is, at least 1."""
        specs = (*self.method.inputs.values(), *self.method.outputs.values())
        return max(1.0, *(float(exact_scale(plane)) for plane in specs))

    def first_edge(self, tile: Tile) -> int | None:
        """Edge of the tiles to begin with; None for the whole image. Raises UsageError where it must not be cut."""
        if self.method.tiling.mode == "whole" or tile is None:
            if isinstance(tile, int):
                raise UsageError("--tile: this task must see the whole image, so that it cannot be cut into tiles")
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
        """The next smaller tiles, or None when there are none."""
        if self.method.tiling.mode == "whole":
            return None
        now = edge or max(self.height, self.width)
        halved = self._up(math.ceil(now / 2))
        return halved if SMALLEST_TILE <= halved < now else None

    def _up(self, length: int) -> int:
        """The next multiple of the step."""
        return math.ceil(length / self.step) * self.step


def exact_scale(spec: ImageSpec) -> Fraction:
    """A plane's scale as the fraction that is meant: a third, not 0.333."""
    return Fraction(spec.scale).limit_denominator(1024)


def scaled(length: int, scale: Fraction) -> int:
    """Pixels of a plane along an axis of ``length`` input pixels; a part of a pixel counts as one."""
    return math.ceil(length * scale)


def _check(name: str, spec: ImageSpec, given: Tensor | None, size: tuple[int, int]) -> None:
    if given is None:
        raise DataError(f"the input {name!r} is missing")
    scale = exact_scale(spec)
    wanted = (spec.channels, *(scaled(length, scale) for length in size))
    if tuple(given.shape) != wanted:
        has, needs = (" x ".join(map(str, shape)) for shape in (given.shape, wanted))
        raise DataError(f"the input {name!r} has {has} channels x height x width where {needs} are needed")
    if given.numel() == 0:
        raise DataError(f"the input {name!r} has no pixels")
    if not torch.isfinite(given).all():
        raise DataError(f"the input {name!r} holds values that are no numbers (NaN or infinite)")
