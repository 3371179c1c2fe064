"""Losses that know where the hole is.

Images are (B, C, H, W), masks (B, 1, H, W) with one in the hole. Each mean runs over the full image, so that a
small hole weighs less than a large one and terms of hole and known part can be added.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from restore.core.dataset import Batch
from restore.core.training_step import Terms


def composed(prediction: Tensor, batch: Batch) -> Tensor:
    """The prediction inside the hole, the target's own pixels everywhere else: what a person gets to see."""
    return torch.where(batch["mask"] > 0.5, prediction, batch["target"].to(prediction.dtype))


@dataclass(frozen=True)
class MaskedLoss(ABC):
    """Base of the losses that compare a prediction with a target, with one weight in the hole and one outside."""

    hole: float = 6.0
    """Weight of the hole; zero leaves its term out."""
    known: float = 1.0
    """Weight of the part that was known; zero leaves its term out."""
    target: str = "target"
    """Name of the target in the batch."""

    name: ClassVar[str]
    """First part of the terms' names."""

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Terms ``<name>_hole`` and ``<name>_known``, each a mean over the full image."""
        errors, mask = self.errors(prediction - batch[self.target]), batch["mask"]
        terms = {}
        if self.hole:
            terms[f"{self.name}_hole"] = self.hole * (errors * mask).mean()
        if self.known:
            terms[f"{self.name}_known"] = self.known * (errors * (1 - mask)).mean()
        return terms

    @abstractmethod
    def errors(self, differences: Tensor) -> Tensor:
        """The error of each value."""


@dataclass(frozen=True)
class MaskedL1(MaskedLoss):
    """Absolute error, six times as important in the hole as outside (Xie et al., 2019, whose code this follows)."""

    name: ClassVar[str] = "l1"

    @override
    def errors(self, differences: Tensor) -> Tensor:
        """``|difference|``."""
        return differences.abs()


@dataclass(frozen=True)
class MaskedMSE(MaskedLoss):
    """Squared error, with one weight in the hole and one outside."""

    name: ClassVar[str] = "mse"

    @override
    def errors(self, differences: Tensor) -> Tensor:
        """``difference²``."""
        return differences.square()


@dataclass(frozen=True)
class DiscountedL1:
    """Absolute error in the hole that counts the less the deeper a pixel lies in it (Yu et al., 2018, section 3).

    Deep inside many fillings are plausible, of which the target is one; near the border there is hardly a choice.
    """

    weight: float = 1.0
    discount: float = 0.99
    """Factor for each step away from the nearest known pixel."""
    target: str = "target"
    """Name of the target in the batch."""

    def __post_init__(self) -> None:
        if not 0 < self.discount <= 1:
            raise ValueError(f"discount={self.discount} must be in (0, 1]")

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Term ``l1_discounted``, a mean over the full image."""
        shares = discounts(batch["mask"], self.discount)
        return {"l1_discounted": self.weight * ((prediction - batch[self.target]).abs() * shares).mean()}


def discounts(masks: Tensor, discount: float) -> Tensor:
    """``discount ** steps to the nearest known pixel`` in the holes of masks (B, 1, H, W), zero outside them.

    The same from every side of a hole. Without a known pixel at all there are H + W steps to it.
    """
    return masks * torch.pow(discount, steps_to_known(masks))


def steps_to_known(masks: Tensor) -> Tensor:
    """Fewest steps up, down, left or right from each pixel of masks (..., H, W) to one outside the hole.

    Exact in four running minima: first along columns, then along rows.
    """
    height, width = masks.shape[-2:]
    unknown = float(height + width)
    steps = torch.where(masks > 0.5, unknown, 0.0)
    for axis, length in ((-2, height), (-1, width)):
        shape = (length, 1) if axis == -2 else (1, length)
        places = torch.arange(length, device=masks.device, dtype=steps.dtype).view(shape)
        before = (steps - places).cummin(axis).values + places
        after = (steps + places).flip(axis).cummin(axis).values.flip(axis) - places
        steps = torch.minimum(before, after)
    return steps.clamp(max=unknown)


@dataclass(frozen=True)
class MaskedTotalVariation:
    """Roughness of the hole and of its seam: total variation where a pixel or its neighbor is in the hole.

    Liu et al. (2018, equation 6) take it over the hole dilated by one pixel; two known neighbors have no gradient, so
    they are left out here. Called with the prediction; what is known is taken from the target.
    """

    weight: float = 0.1

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Term ``total_variation``."""
        return {"total_variation": self.weight * masked_total_variation(composed(prediction, batch), batch["mask"])}


def masked_total_variation(images: Tensor, masks: Tensor) -> Tensor:
    """Mean absolute difference of vertical plus that of horizontal neighbors, zero for two known ones; a scalar."""
    variation = images.new_zeros(())
    for axis in (-2, -1):
        length = images.shape[axis]
        if length > 1:
            touched = torch.maximum(masks.narrow(axis, 0, length - 1), masks.narrow(axis, 1, length - 1))
            variation = variation + (images.diff(dim=axis).abs() * touched).mean()
    return variation
