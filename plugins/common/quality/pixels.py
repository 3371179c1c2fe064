"""Errors of single pixels, and of the differences between neighbors."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor
from typing_extensions import override

from restore.plugins.common.metric_settings import Color
from restore.plugins.common.metrics import Comparison
from restore.plugins.common.quality.sized import SizedImageMetric


@dataclass(frozen=True)
class PixelMetric(SizedImageMetric):
    """Base of metrics that average a value over the pixels of each image, relative to white, then over images."""

    comparison: Comparison = field(default_factory=Comparison)
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    how: ClassVar[str]
    """What is averaged."""

    @property
    def convention(self) -> str:
        """What was compared, and how."""
        return f"{self.comparison.convention}, {self.how}"

    @property
    @override
    def least_side(self) -> int:
        return 1 + 2 * self.comparison.border

    @override
    def values(self, prediction: Tensor, target: Tensor) -> Tensor:
        a, b = self.comparison(prediction, target)
        return self._values(a / 255, b / 255)

    @abstractmethod
    def _values(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the value of each image, (B,), of values from 0 to 1."""


@dataclass(frozen=True)
class L1(PixelMetric):
    """Mean absolute error."""

    name: ClassVar[str] = "l1"
    how: ClassVar[str] = "mean absolute error, white is 1"

    @override
    def _values(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).abs().flatten(1).mean(1)


@dataclass(frozen=True)
class L2(PixelMetric):
    """Mean squared error."""

    name: ClassVar[str] = "l2"
    how: ClassVar[str] = "mean squared error, white is 1"

    @override
    def _values(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).square().flatten(1).mean(1)


@dataclass(frozen=True)
class TotalVariation(PixelMetric):
    """How far the total variation of an output is from that of its target: blur has too little, noise too much.

    The total variation is the mean absolute difference between vertical neighbors plus that between horizontal ones.
    """

    name: ClassVar[str] = "tv-error"
    how: ClassVar[str] = "difference of anisotropic total variations per value, white is 1"

    @override
    def _values(self, a: Tensor, b: Tensor) -> Tensor:
        return (_total_variation(a) - _total_variation(b)).abs()


def _total_variation(image: Tensor) -> Tensor:
    """Return the total variation per value, (B,); an axis of one pixel adds nothing."""
    steps = (image.diff(dim=axis).abs().flatten(1) for axis in (-2, -1))
    return torch.stack([step.mean(1) if step.shape[1] else step.sum(1) for step in steps]).sum(0)


def build_l1(color: Color = "rgb8", border: int = 0) -> L1:
    """Build the L1 of settings; see `Comparison`."""
    return L1(Comparison(color, border))


def build_l2(color: Color = "rgb8", border: int = 0) -> L2:
    """Build the L2 of settings; see `Comparison`."""
    return L2(Comparison(color, border))


def build_total_variation(color: Color = "rgb8", border: int = 0) -> TotalVariation:
    """Build the error of the total variation of settings; see `Comparison`."""
    return TotalVariation(Comparison(color, border))
