"""Segmentation losses: per pixel, by overlap of regions, and registered combinations of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from restore.core.dataset import Batch
from restore.core.training_step import Loss, Terms
from restore.plugins.unet.targets import OneHotTarget, mean_where, one_hot_target, probabilities, to_fp32

Term = Callable[[Tensor, Tensor], Tensor]
"""Computes a scalar from logits (B, C, H, W) and a target that `one_hot_target` reads."""


SMOOTH = 1e-5
"""Added to numerator and denominator of Dice, so that an empty prediction of an empty image has loss 0."""


def binary_cross_entropy_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of logits (B, C, H, W) over pixels and independent classes."""
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    values = F.binary_cross_entropy_with_logits(logits, right.maps, reduction="none")
    return mean_where(values, right.known)


def cross_entropy_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy of logits (B, C, H, W) over pixels with one class each.

    Raises ValueError for maps of overlapping classes.
    """
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    if not right.multiclass:
        raise ValueError("cross-entropy needs class numbers (index masks); use bce for classes that may overlap")
    values = -(logits.log_softmax(dim=1) * right.maps).sum(dim=1, keepdim=True)
    return mean_where(values, right.known)


def focal_loss(logits: Tensor, target: Tensor, focus: float = 2.0, balance: float = 0.25) -> Tensor:
    """Return the cross-entropy in which easy pixels count little (Lin et al., 2017, equation 5).

    Args:
        logits: (B, C, H, W).
        target: a target that `one_hot_target` reads.
        focus: the paper's gamma.
        balance: the paper's alpha, the weight of foreground. It applies to overlapping classes only, because among
            exclusive classes none is the foreground.
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
    """Return 1 - soft Dice of each image (all classes together), averaged over the batch, in [0, 1].

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
    """Return the mean Lovász hinge of each class of each image (Berman et al., 2018, section 3.1).

    Classes are independent; with class numbers it is one against all others.
    """
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    errors = 1 - logits * (2 * right.maps - 1)
    return _lovasz(errors.relu(), right).mean()


def lovasz_softmax_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean Lovász-softmax of the classes in each image (Berman et al., 2018, equation 11).

    Overlapping classes use the sigmoid. An image without any class counts 0.
    """
    logits = to_fp32(logits)
    right = one_hot_target(target, logits.shape[1], logits.dtype)
    errors = (right.maps - probabilities(logits, right.multiclass)).abs()
    occurs = (right.maps.sum(dim=(2, 3)) > 0).to(logits.dtype)  # (B, C)
    losses = _lovasz(errors, right)
    return ((losses * occurs).sum(dim=1) / occurs.sum(dim=1).clamp(min=1)).mean()


def _lovasz(errors: Tensor, right: OneHotTarget) -> Tensor:
    """Return the Lovász extension of the Jaccard loss, (B, C), at non-negative errors (B, C, H, W)."""
    if right.known is not None:
        errors = errors * right.known  # an error of zero sorts last and weighs nothing
    errors = rearrange(errors, "b c h w -> b c (h w)")
    maps = rearrange(right.maps, "b c h w -> b c (h w)")
    errors, order = errors.sort(dim=-1, descending=True)
    return (errors * jaccard_gradient(maps.gather(-1, order))).sum(dim=-1)


def jaccard_gradient(maps: Tensor) -> Tensor:
    """Return the growth of the Jaccard loss with each further wrong pixel (Berman et al., algorithm 1).

    ``maps`` (…, N) is the target in descending order of errors.
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
        """Return the weighted terms of logits (B, C, H, W) for ``batch["target"]``."""
        return {name: weight * term(prediction, batch["target"]) for name, (weight, term) in self.terms.items()}


@dataclass(frozen=True)
class EveryHead:
    """A loss averaged over the heads of a deeply supervised network (Zhou et al., 2018, equation 2)."""

    loss: Loss

    def __call__(self, prediction: Tensor | Sequence[Tensor], batch: Batch) -> Terms:
        """Return the terms averaged over the heads, or of the only one."""
        if isinstance(prediction, Tensor):
            return self.loss(prediction, batch)
        of_heads = [self.loss(head, batch) for head in prediction]
        return {name: torch.stack([terms[name] for terms in of_heads]).mean() for name in of_heads[0]}


def bce() -> Loss:
    """Return binary cross-entropy."""
    return WeightedTerms({"bce": (1.0, binary_cross_entropy_loss)})


def dice() -> Loss:
    """Return soft Dice."""
    return WeightedTerms({"dice": (1.0, dice_loss)})


def bce_dice() -> Loss:
    """Return half the binary cross-entropy plus soft Dice, as the authors of UNet++ train."""
    return WeightedTerms({"bce": (0.5, binary_cross_entropy_loss), "dice": (1.0, dice_loss)})


def lovasz_hinge() -> Loss:
    """Return the Lovász hinge."""
    return WeightedTerms({"lovasz": (1.0, lovasz_hinge_loss)})


def lovasz_softmax() -> Loss:
    """Return Lovász-softmax."""
    return WeightedTerms({"lovasz": (1.0, lovasz_softmax_loss)})


def focal(focus: float = 2.0, balance: float = 0.25) -> Loss:
    """Return the focal loss; see `focal_loss`."""
    return WeightedTerms({"focal": (1.0, partial(focal_loss, focus=focus, balance=balance))})


def cross_entropy() -> Loss:
    """Return cross-entropy, for class numbers."""
    return WeightedTerms({"cross_entropy": (1.0, cross_entropy_loss)})


def cross_entropy_dice() -> Loss:
    """Return cross-entropy plus soft Dice, for class numbers."""
    return WeightedTerms({"cross_entropy": (1.0, cross_entropy_loss), "dice": (1.0, dice_loss)})
