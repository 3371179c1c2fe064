"""Losses that look at the overlap of whole regions: Dice and the Lovász extension of IoU."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

from restore.plugins.unet.targets import Truth, exact, probabilities, truth

SMOOTH = 1e-5
"""Added to both sides of the Dice fraction, so that an empty picture found empty has loss 0."""


def dice(logits: Tensor, target: Tensor) -> Tensor:
    """1 - soft Dice of each picture (all its classes together), averaged over the batch, in [0, 1].

    Soft Dice is (2 sum(p t) + 1e-5) / (sum(p) + sum(t) + 1e-5) with probabilities p (Milletari et al., 2016, without
    the squares).
    """
    logits = exact(logits)
    right = truth(target, logits.shape[1], logits.dtype)
    found = probabilities(logits, right.exclusive)
    if right.known is not None:
        found = found * right.known
    both = (found * right.maps).sum(dim=(1, 2, 3))
    score = (2 * both + SMOOTH) / (found.sum(dim=(1, 2, 3)) + right.maps.sum(dim=(1, 2, 3)) + SMOOTH)
    return 1 - score.mean()


def lovasz_hinge(logits: Tensor, target: Tensor) -> Tensor:
    """Lovász hinge (Berman et al., 2018, section 3.1) of each class of each picture, averaged.

    Classes are taken each for itself, so that with class numbers the average is one against all others.
    """
    logits = exact(logits)
    right = truth(target, logits.shape[1], logits.dtype)
    errors = 1 - logits * (2 * right.maps - 1)
    return _lovasz(errors.relu(), right).mean()


def lovasz_softmax(logits: Tensor, target: Tensor) -> Tensor:
    """Lovász-softmax (Berman et al., 2018, equation 11) of the classes that occur in each picture, averaged.

    With overlapping maps the probabilities are those of a sigmoid. A picture in which no class occurs counts 0.
    """
    logits = exact(logits)
    right = truth(target, logits.shape[1], logits.dtype)
    errors = (right.maps - probabilities(logits, right.exclusive)).abs()
    occurs = (right.maps.sum(dim=(2, 3)) > 0).to(logits.dtype)  # (B, C)
    losses = _lovasz(errors, right)
    return ((losses * occurs).sum(dim=1) / occurs.sum(dim=1).clamp(min=1)).mean()


def _lovasz(errors: Tensor, right: Truth) -> Tensor:
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
