"""Classical upscaling."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

from torch import Tensor
from typing_extensions import override

from restore.core.dataset import Batch, ImageDataset
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling
from restore.plugins.classic import interpolation
from restore.plugins.classic.fourier import fourier
from restore.plugins.classic.settings import UpscalingEvaluateOptions, UpscalingPredictOptions, UpscalingSettings
from restore.plugins.common.degradation.pipeline import degradation_of
from restore.plugins.common.super_resolution.chosen import open_evaluation_pairs
from restore.plugins.common.super_resolution.dataset import evaluation_pairs
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols
from restore.plugins.common.super_resolution.settings import SAMPLE


class Upscaling(Method[UpscalingSettings, UpscalingPredictOptions, UpscalingEvaluateOptions]):
    """Base of the upscaling methods; subclasses define `upscaled`.

    The scale is the option's if it was given, else that of the settings. An evaluation on pairs without a given scale
    uses the scale of the pairs.
    """

    def __init__(self, settings: UpscalingSettings) -> None:
        super().__init__(settings)
        self._given: float | None = settings.model.scale
        self.scale = _as_fraction(settings.model.scale)

    @override
    def with_options(
        self, *, predict: UpscalingPredictOptions | None = None, evaluate: UpscalingEvaluateOptions | None = None
    ) -> Self:
        other = super().with_options(predict=predict, evaluate=evaluate)
        if predict is not None or evaluate is not None:
            other._given = predict.scale if predict is not None else other.evaluate_options.scale
            other.scale = _as_fraction(other._given or self.settings.model.scale)
        return other

    @abstractmethod
    def upscale(self, images: Tensor, scale: float) -> Tensor:
        """Upscale (B, 3, h, w) in [0, 1] to (B, 3, ceil(h * scale), ceil(w * scale)); values may leave the range."""

    @property
    @override
    def outputs(self) -> Mapping[str, ImageSpec]:
        return {"output": ImageSpec(scale=self.scale)}

    @property
    @override
    def inputs(self) -> Mapping[str, ImageSpec]:
        return {"input": ImageSpec(padding="edge")}  # as every method treats the edge

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": self.upscale(batch["input"], self.scale).clamp(0, 1)}

    @override
    def resize_alpha_rows(
        self,
        rows: Callable[[int, int], Tensor],
        size: tuple[int, int],
        wanted: tuple[int, int],
        first: int,
        last: int,
    ) -> Tensor:
        step = Fraction(self.scale).limit_denominator(1024).denominator
        upscaled = tuple(math.ceil(side * self.scale) for side in size)
        if self.tiling.mode == "whole" or upscaled != wanted:
            return super().resize_alpha_rows(rows, size, wanted, first, last)
        # Begin where both images have a whole number of pixels, and see as far as the method does.
        start = max(0, (math.floor(first / self.scale) - self.reach) // step * step)
        stop = min(size[0], math.ceil(last / self.scale) + self.reach)
        band = self.upscale(rows(start, stop).expand(3, -1, -1)[None], self.scale)[0, :1].clamp(0, 1)
        top = first - round(start * self.scale)
        return band[:, top : top + last - first]

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return super_resolution_protocols(self.scale, self.evaluate_options.degradation)

    @property
    @override
    def default_protocol(self) -> str:
        return "y8-border"

    reach: ClassVar[int] = 0
    """How many pixels around its position a new pixel depends on."""

    @property
    @override
    def tiling(self) -> Tiling:
        return Tiling("exact", halo=self.reach)

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        """Return the pairs of a folder or of the sample; the method takes over their scale."""
        chosen, degradation = self.evaluate_options.dataset, self.evaluate_options.degradation
        if chosen.full_name != SAMPLE:
            return open_evaluation_pairs(folder, chosen, self.scale, degradation)
        scale = self.scale if folder is None else self._given
        pairs = evaluation_pairs(folder, scale, partial(degradation_of, degradation))
        self.scale = _as_fraction(pairs.scale)
        return pairs


def _as_fraction(scale: float) -> float:
    """Return the nearest fraction whose denominator is at most 1024, because the engine needs whole pixels."""
    return float(Fraction(scale).limit_denominator(1024))


class Nearest(Upscaling):
    """Nearest-neighbor upscaling."""

    reach = 1

    @override
    def upscale(self, images: Tensor, scale: float) -> Tensor:
        return interpolation.nearest(images, scale)


class Bilinear(Upscaling):
    """Bilinear upscaling."""

    reach = 2

    @override
    def upscale(self, images: Tensor, scale: float) -> Tensor:
        return interpolation.bilinear(images, scale)


class Bicubic(Upscaling):
    """Bicubic upscaling as in MATLAB."""

    reach = 3

    @override
    def upscale(self, images: Tensor, scale: float) -> Tensor:
        return interpolation.bicubic(images, scale)


class BicubicAntialias(Upscaling):
    """Bicubic upscaling as in torchvision and Pillow."""

    reach = 3

    @override
    def upscale(self, images: Tensor, scale: float) -> Tensor:
        return interpolation.bicubic_antialias(images, scale)


class Lanczos(Upscaling):
    """Lanczos upscaling (windowed sinc)."""

    reach = 4

    @override
    def upscale(self, images: Tensor, scale: float) -> Tensor:
        return interpolation.lanczos(images, scale)


class Fourier(Upscaling):
    """Upscaling by padding the spectrum with zeros."""

    bytes_per_value = 28  # measured: double precision, its spectrum, and copies of both

    @property
    @override
    def tiling(self) -> Tiling:
        return Tiling("whole", halo=0)  # waves extend over the whole image

    @override
    def upscale(self, images: Tensor, scale: float) -> Tensor:
        return fourier(images, scale)
