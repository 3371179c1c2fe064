"""Losses that look at each pixel alone."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from restore.plugins.unet.targets import exact, mean_where, truth


def binary_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over pixels and classes of the binary cross-entropy of logits (B, C, H, W), every class for itself."""
    logits = exact(logits)
    right = truth(target, logits.shape[1], logits.dtype)
    values = F.binary_cross_entropy_with_logits(logits, right.maps, reduction="none")
    return mean_where(values, right.known)


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over pixels of the cross-entropy of logits (B, C, H, W) with the one class of each pixel.

    Overlapping maps are refused: they have no one class. Raises ValueError.
    """
    logits = exact(logits)
    right = truth(target, logits.shape[1], logits.dtype)
    if not right.exclusive:
        raise ValueError("cross-entropy needs class numbers (index masks); use bce for classes that may overlap")
    values = -(logits.log_softmax(dim=1) * right.maps).sum(dim=1, keepdim=True)
    return mean_where(values, right.known)


def focal(logits: Tensor, target: Tensor, focus: float = 2.0, balance: float = 0.25) -> Tensor:
    """Cross-entropy in which easy pixels count little (Lin et al., 2017, equation 5).

    ``focus`` is the paper's gamma. ``balance`` is its alpha, the weight of foreground, used for overlapping classes
    only: among exclusive ones no class is the foreground.
    """
    logits = exact(logits)
    right = truth(target, logits.shape[1], logits.dtype)
    if right.exclusive:
        logarithm = (logits.log_softmax(dim=1) * right.maps).sum(dim=1, keepdim=True)
        values = -((1 - logarithm.exp()) ** focus) * logarithm
        return mean_where(values, right.known)
    logarithm = -F.binary_cross_entropy_with_logits(logits, right.maps, reduction="none")
    weight = balance * right.maps + (1 - balance) * (1 - right.maps)
    return mean_where(-weight * (1 - logarithm.exp()) ** focus * logarithm, right.known)
