"""Pixel losses.

A loss is a frozen dataclass with a ``weight``. Called with a prediction and the batch that it was made from, it returns
named scalar terms, which include the weight.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from restore.core.dataset import Batch
from restore.core.training_step import Terms


@dataclass(frozen=True)
class PixelLoss(ABC):
    """Base of the losses that compare a prediction (B, C, H, W) with an image of the batch, pixel by pixel."""

    weight: float = 1.0
    target: str = "target"
    """Name of that image in the batch."""

    name: ClassVar[str]
    """Name of the term."""

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the term of this loss."""
        return {self.name: self.weight * self.distance(prediction, batch[self.target])}

    @abstractmethod
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean distance over all values, a scalar, before the weight."""


@dataclass(frozen=True)
class L1(PixelLoss):
    """Mean absolute error."""

    name: ClassVar[str] = "l1"

    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(prediction, target)


@dataclass(frozen=True)
class MSE(PixelLoss):
    """Mean squared error."""

    name: ClassVar[str] = "mse"

    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(prediction, target)


@dataclass(frozen=True)
class Charbonnier(PixelLoss):
    """Charbonnier loss, the mean of ``sqrt((prediction - target)² + epsilon²)`` (Lai et al., 2017, equation 5)."""

    epsilon: float = 1e-3
    """Error at which the loss changes from quadratic to linear; also the loss of equal images."""
    name: ClassVar[str] = "charbonnier"

    def __post_init__(self) -> None:
        if self.epsilon <= 0:
            raise ValueError(f"epsilon={self.epsilon} must be positive: the gradient at equal pixels needs it")

    @override
    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        # hypot does not square epsilon; in half precision the square would round to zero.
        return torch.hypot(prediction - target, torch.full_like(prediction, self.epsilon)).mean()


@dataclass(frozen=True)
class TotalVariation:
    """Anisotropic total variation of a prediction (Rudin et al., 1992), per pixel.

    It is the mean absolute difference of vertical neighbors plus that of horizontal neighbors. An image of one row or
    column has no part in that direction.
    """

    weight: float = 1.0

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:  # noqa: ARG002 - the signature of every loss
        """Return the term of this loss."""
        return {"total_variation": self.weight * total_variation(prediction)}


def total_variation(images: Tensor) -> Tensor:
    """Return the mean absolute difference of vertical plus that of horizontal neighbors, for images (..., H, W)."""
    variation = images.new_zeros(())
    for axis in (-2, -1):
        if images.shape[axis] > 1:
            variation = variation + images.diff(dim=axis).abs().mean()
    return variation
