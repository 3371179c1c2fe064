"""The losses by name: each gives named terms for the logits of one network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from restore.core.steps import Batch, Loss, Terms
from restore.plugins.unet import overlap_losses, pixel_losses

Term = Callable[[Tensor, Tensor], Tensor]
"""A scalar for logits (B, C, H, W) and a target as described in ``truth``."""


@dataclass(frozen=True)
class WeightedTerms:
    """A loss that is a weighted sum of terms."""

    terms: Mapping[str, tuple[float, Term]]

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """The weighted terms for logits (B, C, H, W) and ``batch["target"]``."""
        return {name: weight * term(prediction, batch["target"]) for name, (weight, term) in self.terms.items()}


@dataclass(frozen=True)
class EveryHead:
    """The same loss for every head of a deeply supervised network, averaged (Zhou et al., 2018, equation 2)."""

    loss: Loss

    def __call__(self, prediction: Tensor | Sequence[Tensor], batch: Batch) -> Terms:
        """Terms averaged over the heads; of one tensor of logits, those of the loss itself."""
        if isinstance(prediction, Tensor):
            return self.loss(prediction, batch)
        of_heads = [self.loss(head, batch) for head in prediction]
        return {name: torch.stack([terms[name] for terms in of_heads]).mean() for name in of_heads[0]}


def bce() -> Loss:
    """Binary cross-entropy."""
    return WeightedTerms({"bce": (1.0, pixel_losses.binary_cross_entropy)})


def dice() -> Loss:
    """Soft Dice."""
    return WeightedTerms({"dice": (1.0, overlap_losses.dice)})


def bce_dice() -> Loss:
    """Half the binary cross-entropy and the soft Dice loss, as the UNet++ authors train."""
    return WeightedTerms({"bce": (0.5, pixel_losses.binary_cross_entropy), "dice": (1.0, overlap_losses.dice)})


def lovasz_hinge() -> Loss:
    """Lovász hinge: each class against all others."""
    return WeightedTerms({"lovasz": (1.0, overlap_losses.lovasz_hinge)})


def lovasz_softmax() -> Loss:
    """Lovász-softmax: the classes that occur."""
    return WeightedTerms({"lovasz": (1.0, overlap_losses.lovasz_softmax)})


def focal() -> Loss:
    """Focal loss."""
    return WeightedTerms({"focal": (1.0, pixel_losses.focal)})


def cross_entropy() -> Loss:
    """Cross-entropy, for class numbers."""
    return WeightedTerms({"cross_entropy": (1.0, pixel_losses.cross_entropy)})


def cross_entropy_dice() -> Loss:
    """Cross-entropy and the soft Dice loss, for class numbers."""
    return WeightedTerms({"cross_entropy": (1.0, pixel_losses.cross_entropy), "dice": (1.0, overlap_losses.dice)})
