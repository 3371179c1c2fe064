"""Make the input of a sample: degrade its target in one or two stages, and make it small."""

from __future__ import annotations

import math

import torch
from PIL import features
from torch import Tensor

from restore.core.errors import UsageError
from restore.core.images.pixels import to_uint8
from restore.core.images.resampling import scale_length
from restore.core.seeding import derive_seed, seeded
from restore.plugins.common.degradation.drawing import draw_integer, happens
from restore.plugins.common.degradation.kernels import draw_kernel, draw_sinc
from restore.plugins.common.degradation.settings import BlurSettings, DegradationSettings
from restore.plugins.common.degradation.steps import (
    add_noise,
    blur,
    draw_compression,
    draw_factor,
    draw_resize,
    draw_sharpening,
    sharpen,
)
from restore.plugins.common.images.resize import imresize

USM_AMOUNT, USM_SIGMA, USM_THRESHOLD = 0.5, 8.0, 10 / 255
"""Unsharp masking of targets as in Real-ESRGAN's training: amount, blur in pixels, smallest difference."""


class Degradation:
    """Makes inputs of good images, with random numbers of torch's global generator.

    There is no queue of samples: the engine seeds each sample by itself, so the same sample comes out of any number of
    worker processes.

    Args:
        settings: which degradations, how often and how strong.
        scale: how many times smaller inputs are than targets.
        seed: seed of `repeatable`.

    Raises:
        UsageError: the settings ask for WebP, and Pillow cannot write it.
    """

    def __init__(self, settings: DegradationSettings, scale: float = 1, seed: int = 0) -> None:
        compressions = (settings.first.compression, settings.last.compression)
        if any(each.probability and each.webp for each in compressions) and not features.check("webp"):
            raise UsageError("this Pillow cannot write WebP; install one from PyPI, or set the fractions of webp to 0")
        self.settings, self.scale, self.seed = settings, scale, seed

    @property
    def cheap(self) -> bool:
        """Whether it only compresses, sharpens and adds noise at the input's size: a millisecond or two for a crop."""
        first, last = self.settings.first, self.settings.last
        steps = (first.blur, first.noise, first.compression, last.blur)
        resized = any(stage.resize.up or stage.resize.down for stage in (first, last))
        return not resized and not last.sinc and not any(step.probability for step in steps)

    @property
    def compresses(self) -> bool:
        """Whether it may leave the blocks of JPEG or WebP in an image."""
        return any(stage.compression.probability > 0 for stage in (self.settings.first, self.settings.last))

    def __call__(self, target: Tensor) -> Tensor:
        """Return the input (3, h, w) of a target (3, H, W), both uint8; a side is ``ceil(side / scale)``."""
        height, width = (scale_length(length, 1 / self.scale) for length in target.shape[-2:])
        image = target.float() / 255
        return to_uint8(self._last(self._first(image), (height, width), untouched=(image, target)))

    def repeatable(self, target: Tensor, name: str) -> Tensor:
        """Return the input with random numbers of ``name`` and the seed alone: the same at every evaluation."""
        with seeded(derive_seed("degradation", name, *([self.seed] if self.seed else []))):
            return self(target)

    def sharpen_target(self, target: Tensor) -> Tensor:
        """Return the target of training: as it is, or sharpened if the settings say so; uint8."""
        if not self.settings.sharpen_target:
            return target
        return to_uint8(sharpen(target.float() / 255, USM_AMOUNT, USM_SIGMA, USM_THRESHOLD))

    def _first(self, image: Tensor) -> Tensor:
        stage = self.settings.first
        image = _blur(image, stage.blur)
        factor = draw_factor(stage.resize)
        image = draw_resize(image, _scale(image.shape[-2:], factor), stage.resize)
        if happens(stage.noise.probability):
            image = add_noise(image, stage.noise)
        return draw_compression(image, stage.compression) if happens(stage.compression.probability) else image

    def _last(self, image: Tensor, size: tuple[int, int], untouched: tuple[Tensor, Tensor]) -> Tensor:
        stage = self.settings.last
        image = self._shrink(_blur(image, stage.blur), size, untouched)
        if happens(stage.sharpen.probability):
            image = draw_sharpening(image, stage.sharpen)
        if happens(stage.noise.probability):
            image = add_noise(image, stage.noise)
        rings = happens(stage.sinc)
        early = (rings or tuple(image.shape[-2:]) != size) and happens(0.5)
        compressed = happens(stage.compression.probability)
        if compressed and early:
            image = draw_compression(image, stage.compression)
        image = draw_resize(image, size, stage.resize)
        if rings:
            image = blur(image, draw_sinc(2 * draw_integer((3, 10)) + 1, lower_from=math.inf)).clamp(0, 1)
        return draw_compression(image, stage.compression) if compressed and not early else image

    def _shrink(self, image: Tensor, size: tuple[int, int], untouched: tuple[Tensor, Tensor]) -> Tensor:
        """Return the image at a random multiple of the input's size.

        Without random resizing it is made exactly that size as MATLAB makes it: an image that nothing has degraded yet
        becomes the same input, bit for bit, as without a degradation.

        Args:
            image: the image so far.
            size: height and width of the input.
            untouched: the image before any step, in floating point and as 8-bit levels.
        """
        resizing = self.settings.last.resize
        if resizing.up or resizing.down or image.shape != untouched[0].shape:
            return draw_resize(image, _scale(size, draw_factor(resizing)), resizing)
        if self.scale == 1:
            return image
        if image is untouched[0]:
            return imresize(untouched[1], 1 / self.scale).float() / 255
        return imresize(image, 1 / self.scale).clamp(0, 1)


def degradation_of(settings: DegradationSettings | None, scale: float, seed: int = 0) -> Degradation | None:
    """Return the degradation that settings describe, or None if they leave inputs as they are."""
    return Degradation(settings, scale, seed) if settings is not None and settings.active else None


def _blur(image: Tensor, settings: BlurSettings) -> Tensor:
    return blur(image, draw_kernel(settings)).clamp(0, 1) if happens(settings.probability) else image


def _scale(size: tuple[int, int] | torch.Size, factor: float) -> tuple[int, int]:
    height, width = size
    return max(1, round(height * factor)), max(1, round(width * factor))
