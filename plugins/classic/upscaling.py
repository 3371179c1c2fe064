"""Methods that enlarge a picture and have nothing to learn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Self

from torch import Tensor
from typing_extensions import override

from restore.core.dataset import Batch, Pictures
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.specs import Plane, Tiling
from restore.plugins.classic import interpolation
from restore.plugins.classic.fourier import fourier
from restore.plugins.classic.settings import EnlargingEvaluate, EnlargingPredict, EnlargingSettings
from restore.plugins.common.super_resolution.dataset import evaluation_pairs
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols


class Enlarging(Method[EnlargingSettings, EnlargingPredict, EnlargingEvaluate]):
    """Base of the methods: everything but `enlarged`.

    The scale is the option's where one was given, else that of the settings; measuring pairs without either takes the
    scale that the pairs have.
    """

    def __init__(self, settings: EnlargingSettings) -> None:
        super().__init__(settings)
        self._given: float | None = settings.model.scale
        self.scale = _as_fraction(settings.model.scale)

    @override
    def with_options(
        self, *, predict: EnlargingPredict | None = None, evaluate: EnlargingEvaluate | None = None
    ) -> Self:
        other = super().with_options(predict=predict, evaluate=evaluate)
        if predict is not None or evaluate is not None:
            other._given = predict.scale if predict is not None else other.evaluate_options.scale
            other.scale = _as_fraction(other._given or self.settings.model.scale)
        return other

    @abstractmethod
    def enlarged(self, pictures: Tensor, scale: float) -> Tensor:
        """Pictures (B, 3, ceil(h * scale), ceil(w * scale)) from (B, 3, h, w) in [0, 1]; may leave that range."""

    @property
    def outputs(self) -> Mapping[str, Plane]:
        """The enlarged picture."""
        return {"output": Plane(scale=self.scale)}

    @property
    def inputs(self) -> Mapping[str, Plane]:
        """The small picture; where a fraction needs a few more rows, the last one goes on, as at any other edge."""
        return {"input": Plane(padding="edge")}

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """The enlarged picture, clipped to [0, 1]."""
        return {"output": self.enlarged(batch["input"], self.scale).clamp(0, 1)}

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
        """Never cut: a wave and a border go through the whole picture."""
        return Tiling("whole", halo=0)

    def evaluation_data(self, folder: Path | None) -> Pictures:
        """Pairs of a folder, or of the sample photographs; the scale of the pairs is the task's from now on."""
        pairs = evaluation_pairs(folder, self.scale if folder is None else self._given)
        self.scale = _as_fraction(pairs.scale)
        return pairs


def _as_fraction(scale: float) -> float:
    """The nearest scale for which a picture of up to 1024 pixels, repeated, has whole pixels, as the engine needs."""
    return float(Fraction(scale).limit_denominator(1024))


class Nearest(Enlarging):
    """The nearest pixel."""

    def enlarged(self, pictures: Tensor, scale: float) -> Tensor:
        """See `interpolation.nearest`."""
        return interpolation.nearest(pictures, scale)


class Bilinear(Enlarging):
    """Linear interpolation."""

    def enlarged(self, pictures: Tensor, scale: float) -> Tensor:
        """See `interpolation.bilinear`."""
        return interpolation.bilinear(pictures, scale)


class Bicubic(Enlarging):
    """Cubic convolution as MATLAB does it."""

    def enlarged(self, pictures: Tensor, scale: float) -> Tensor:
        """See `interpolation.bicubic`."""
        return interpolation.bicubic(pictures, scale)


class BicubicAntialias(Enlarging):
    """Cubic convolution as torchvision and Pillow do it."""

    def enlarged(self, pictures: Tensor, scale: float) -> Tensor:
        """See `interpolation.bicubic_antialias`."""
        return interpolation.bicubic_antialias(pictures, scale)


class Lanczos(Enlarging):
    """Windowed sinc."""

    def enlarged(self, pictures: Tensor, scale: float) -> Tensor:
        """See `interpolation.lanczos`."""
        return interpolation.lanczos(pictures, scale)


class Fourier(Enlarging):
    """Zero-padded spectrum."""

    def enlarged(self, pictures: Tensor, scale: float) -> Tensor:
        """See `fourier.fourier`."""
        return fourier(pictures, scale)
