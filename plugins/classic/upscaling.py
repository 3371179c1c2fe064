"""Methods that upscale an image and have nothing to learn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Self

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
from restore.plugins.common.super_resolution.dataset import evaluation_pairs
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols


class Upscaling(Method[UpscalingSettings, UpscalingPredictOptions, UpscalingEvaluateOptions]):
    """Base of the methods: everything but `upscaled`.

    The scale is the option's where one was given, else that of the settings; measuring pairs without either takes the
    scale that the pairs have.
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
    def upscaled(self, images: Tensor, scale: float) -> Tensor:
        """Images (B, 3, ceil(h * scale), ceil(w * scale)) from (B, 3, h, w) in [0, 1]; may leave that range."""

    @property
    @override
    def outputs(self) -> Mapping[str, ImageSpec]:
        """The upscaled image."""
        return {"output": ImageSpec(scale=self.scale)}

    @property
    @override
    def inputs(self) -> Mapping[str, ImageSpec]:
        """The small image; where a fraction needs a few more rows, the last one goes on, as at any other edge."""
        return {"input": ImageSpec(padding="edge")}

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """The upscaled image, clipped to [0, 1]."""
        return {"output": self.upscaled(batch["input"], self.scale).clamp(0, 1)}

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Those of super-resolution, for the scale that is measured."""
        return super_resolution_protocols(self.scale)

    @property
    @override
    def default_protocol(self) -> str:
        return "y8-border"

    @property
    @override
    def tiling(self) -> Tiling:
        """Never cut: a wave and a border go through the whole image."""
        return Tiling("whole", halo=0)

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        """Pairs of a folder, or of the sample photographs; the scale of the pairs is the task's from now on."""
        pairs = evaluation_pairs(folder, self.scale if folder is None else self._given)
        self.scale = _as_fraction(pairs.scale)
        return pairs


def _as_fraction(scale: float) -> float:
    """The nearest scale for which an image of up to 1024 pixels, repeated, has whole pixels, as the engine needs."""
    return float(Fraction(scale).limit_denominator(1024))


class Nearest(Upscaling):
    """The nearest pixel."""

    @override
    def upscaled(self, images: Tensor, scale: float) -> Tensor:
        """See `interpolation.nearest`."""
        return interpolation.nearest(images, scale)


class Bilinear(Upscaling):
    """Linear interpolation."""

    @override
    def upscaled(self, images: Tensor, scale: float) -> Tensor:
        """See `interpolation.bilinear`."""
        return interpolation.bilinear(images, scale)


class Bicubic(Upscaling):
    """Cubic convolution as MATLAB does it."""

    @override
    def upscaled(self, images: Tensor, scale: float) -> Tensor:
        """See `interpolation.bicubic`."""
        return interpolation.bicubic(images, scale)


class BicubicAntialias(Upscaling):
    """Cubic convolution as torchvision and Pillow do it."""

    @override
    def upscaled(self, images: Tensor, scale: float) -> Tensor:
        """See `interpolation.bicubic_antialias`."""
        return interpolation.bicubic_antialias(images, scale)


class Lanczos(Upscaling):
    """Windowed sinc."""

    @override
    def upscaled(self, images: Tensor, scale: float) -> Tensor:
        """See `interpolation.lanczos`."""
        return interpolation.lanczos(images, scale)


class Fourier(Upscaling):
    """Zero-padded spectrum."""

    @override
    def upscaled(self, images: Tensor, scale: float) -> Tensor:
        """See `fourier.fourier`."""
        return fourier(images, scale)
