"""Segmentation losses: pixel by pixel, by the overlap of whole regions, and the registered combinations of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from restore.core.dataset import Batch
from restore.core.training_step import Loss, Terms
from restore.plugins.unet.targets import OneHotTarget, mean_where, one_hot_target, probabilities, to_fp32

Term = Callable[[Tensor, Tensor], Tensor]
"""A scalar for logits (B, C, H, W) and a target that `one_hot_target` can read."""


SMOOTH = 1e-5
"""Added to both sides of the Dice fraction, so that an empty image found empty has loss 0."""


def binary_cross_entropy_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over pixels and classes of the binary cross-entropy of logits (B, C, H, W), every class for itself."""
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    values = F.binary_cross_entropy_with_logits(logits, right.maps, reduction="none")
    return mean_where(values, right.known)


def cross_entropy_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over pixels of the cross-entropy of logits (B, C, H, W) with the one class of each pixel.

    Overlapping maps are refused: they have no one class. Raises ValueError.
    """
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    if not right.multiclass:
        raise ValueError("cross-entropy needs class numbers (index masks); use bce for classes that may overlap")
    values = -(logits.log_softmax(dim=1) * right.maps).sum(dim=1, keepdim=True)
    return mean_where(values, right.known)


def focal_loss(logits: Tensor, target: Tensor, focus: float = 2.0, balance: float = 0.25) -> Tensor:
    """Cross-entropy in which easy pixels count little (Lin et al., 2017, equation 5).

    ``focus`` is the paper's gamma. ``balance`` is its alpha, the weight of foreground, used for overlapping classes
    only: among exclusive ones no class is the foreground.
    """
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    if right.multiclass:
        logarithm = (logits.log_softmax(dim=1) * right.maps).sum(dim=1, keepdim=True)
        values = -((1 - logarithm.exp()) ** focus) * logarithm
        return mean_where(values, right.known)
    logarithm = -F.binary_cross_entropy_with_logits(logits, right.maps, reduction="none")
    weight = balance * right.maps + (1 - balance) * (1 - right.maps)
    return mean_where(-weight * (1 - logarithm.exp()) ** focus * logarithm, right.known)


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 - soft Dice of each image (all its classes together), averaged over the batch, in [0, 1].

    Soft Dice is (2 sum(p t) + 1e-5) / (sum(p) + sum(t) + 1e-5) with probabilities p (Milletari et al., 2016, without
    the squares).
    """
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    found = probabilities(logits, right.multiclass)
    if right.known is not None:
        found = found * right.known
    both = (found * right.maps).sum(dim=(1, 2, 3))
    score = (2 * both + SMOOTH) / (found.sum(dim=(1, 2, 3)) + right.maps.sum(dim=(1, 2, 3)) + SMOOTH)
    return 1 - score.mean()


def lovasz_hinge_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Lovász hinge (Berman et al., 2018, section 3.1) of each class of each image, averaged.

    Classes are taken each for itself, so that with class numbers the average is one against all others.
    """
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    errors = 1 - logits * (2 * right.maps - 1)
    return _lovasz(errors.relu(), right).mean()


def lovasz_softmax_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Lovász-softmax (Berman et al., 2018, equation 11) of the classes that occur in each image, averaged.

    With overlapping maps the probabilities are those of a sigmoid. An image in which no class occurs counts 0.
    """
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    errors = (right.maps - probabilities(logits, right.multiclass)).abs()
    occurs = (right.maps.sum(dim=(2, 3)) > 0).to(logits.dtype)  # (B, C)
    losses = _lovasz(errors, right)
    return ((losses * occurs).sum(dim=1) / occurs.sum(dim=1).clamp(min=1)).mean()


def _lovasz(errors: Tensor, right: OneHotTarget) -> Tensor:
    """Lovász extension of the Jaccard loss (B, C) at non-negative errors (B, C, H, W)."""
    if right.known is not None:
        errors = errors * right.known  # an error of zero sorts last and weighs nothing
    errors = rearrange(errors, "b c h w -> b c (h w)")
    maps = rearrange(right.maps, "b c h w -> b c (h w)")
    errors, order = errors.sort(dim=-1, descending=True)
    return (errors * jaccard_gradient(maps.gather(-1, order))).sum(dim=-1)


def jaccard_gradient(maps: Tensor) -> Tensor:
    """How much the Jaccard loss grows with each further pixel that is wrong (Berman et al., algorithm 1).

    ``maps`` (…, N) is the ground truth in the order of falling errors.
    """
    inside = maps.sum(dim=-1, keepdim=True)
    intersection = inside - maps.cumsum(dim=-1)
    union = inside + (1 - maps).cumsum(dim=-1)
    jaccard = 1 - intersection / union
    return torch.cat([jaccard[..., :1], jaccard[..., 1:] - jaccard[..., :-1]], dim=-1)


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
    return WeightedTerms({"bce": (1.0, binary_cross_entropy_loss)})


def dice() -> Loss:
    """Soft Dice."""
    return WeightedTerms({"dice": (1.0, dice_loss)})


def bce_dice() -> Loss:
    """Half the binary cross-entropy and the soft Dice loss, as the UNet++ authors train."""
    return WeightedTerms({"bce": (0.5, binary_cross_entropy_loss), "dice": (1.0, dice_loss)})


def lovasz_hinge() -> Loss:
    """Lovász hinge: each class against all others."""
    return WeightedTerms({"lovasz": (1.0, lovasz_hinge_loss)})


def lovasz_softmax() -> Loss:
    """Lovász-softmax: the classes that occur."""
    return WeightedTerms({"lovasz": (1.0, lovasz_softmax_loss)})


def focal() -> Loss:
    """Focal loss."""
    return WeightedTerms({"focal": (1.0, focal_loss)})


def cross_entropy() -> Loss:
    """Cross-entropy, for class numbers."""
    return WeightedTerms({"cross_entropy": (1.0, cross_entropy_loss)})


def cross_entropy_dice() -> Loss:
    """Cross-entropy and the soft Dice loss, for class numbers."""
    return WeightedTerms({"cross_entropy": (1.0, cross_entropy_loss), "dice": (1.0, dice_loss)})
