"""Losses that depend on the mask.

Images are (B, C, H, W), masks (B, 1, H, W) with ones inside the hole. Each mean runs over the whole image. So a small
hole weighs less than a large one, and the terms of the hole and of the known region can be added.
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


def compose(prediction: Tensor, batch: Batch) -> Tensor:
    """Return the composite: the prediction inside the hole, the target outside it."""
    return torch.where(batch["mask"] > 0.5, prediction, batch["target"].to(prediction.dtype))


@dataclass(frozen=True)
class MaskedLoss(ABC):
    """Base of the losses that compare a prediction with a target, with separate weights inside and outside the hole."""

    hole: float = 6.0
    """Weight inside the hole; 0 leaves the term out."""
    known: float = 1.0
    """Weight outside the hole; 0 leaves the term out."""
    target: str = "target"
    """Name of the target in the batch."""

    name: ClassVar[str]
    """Prefix of the terms' names."""

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the terms ``<name>_hole`` and ``<name>_known``, each a mean over the whole image."""
        errors, mask = self.errors(prediction - batch[self.target]), batch["mask"]
        terms = {}
        if self.hole:
            terms[f"{self.name}_hole"] = self.hole * (errors * mask).mean()
        if self.known:
            terms[f"{self.name}_known"] = self.known * (errors * (1 - mask)).mean()
        return terms

    @abstractmethod
    def errors(self, differences: Tensor) -> Tensor:
        """Return the error of each value."""


@dataclass(frozen=True)
class MaskedL1(MaskedLoss):
    """Mean absolute error; inside the hole its weight is six times as large (as in the code of Xie et al., 2019)."""

    name: ClassVar[str] = "l1"

    @override
    def errors(self, differences: Tensor) -> Tensor:
        return differences.abs()


@dataclass(frozen=True)
class MaskedMSE(MaskedLoss):
    """Mean squared error."""

    name: ClassVar[str] = "mse"

    @override
    def errors(self, differences: Tensor) -> Tensor:
        return differences.square()


@dataclass(frozen=True)
class DiscountedL1:
    """Mean absolute error inside the hole, discounted by the distance to the known region (Yu et al., 2018, section 3).

    Deep inside a hole many results are plausible and the target is only one of them; near its border there is little
    choice.
    """

    weight: float = 1.0
    discount: float = 0.99
    """Factor per step from the nearest known pixel."""
    target: str = "target"
    """Name of the target in the batch."""

    def __post_init__(self) -> None:
        if not 0 < self.discount <= 1:
            raise ValueError(f"discount={self.discount} must be in (0, 1]")

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the term ``l1_discounted``, a mean over the whole image."""
        shares = discounts(batch["mask"], self.discount)
        return {"l1_discounted": self.weight * ((prediction - batch[self.target]).abs() * shares).mean()}


def discounts(masks: Tensor, discount: float) -> Tensor:
    """Return ``discount ** steps to the nearest known pixel`` inside the holes of masks (B, 1, H, W), else zero.

    Without any known pixel the number of steps is H + W.
    """
    return masks * torch.pow(discount, steps_to_known(masks))


def steps_to_known(masks: Tensor) -> Tensor:
    """Return the number of steps up, down, left or right from each pixel of masks (..., H, W) to a known one.

    Four running minima give the exact number: two along columns, then two along rows.
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
    """Total variation of the hole and its seam, where a pixel or its neighbor is inside the hole.

    Liu et al. (2018, equation 6) compute it over the hole dilated by one pixel. Pairs of known pixels have no gradient,
    so they are left out here. Known pixels come from the target.
    """

    weight: float = 1.0

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the term ``total_variation``."""
        return {"total_variation": self.weight * masked_total_variation(compose(prediction, batch), batch["mask"])}


def masked_total_variation(images: Tensor, masks: Tensor) -> Tensor:
    """Return the mean absolute difference of neighbors, zero for two known ones; vertical plus horizontal, a scalar."""
    variation = images.new_zeros(())
    for axis in (-2, -1):
        length = images.shape[axis]
        if length > 1:
            touched = torch.maximum(masks.narrow(axis, 0, length - 1), masks.narrow(axis, 1, length - 1))
            variation = variation + (images.diff(dim=axis).abs() * touched).mean()
    return variation
