"""Segmentation targets in one form, for overlapping classes and for class numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from restore.plugins.common.masks.survey import IGNORED


@dataclass(frozen=True)
class OneHotTarget:
    """A target as one map per class."""

    maps: Tensor
    """(B, C, H, W), 1 where the class is, else 0, also where the class is unknown."""
    known: Tensor | None
    """(B, 1, H, W), 1 where the class is known; None: everywhere."""
    multiclass: bool
    """Whether every pixel has exactly one class."""


def one_hot_target(target: Tensor, classes: int, dtype: torch.dtype) -> OneHotTarget:
    """Convert a target: float maps (B, C, H, W) of overlapping classes, or class numbers (B, 1, H, W) int64.

    Raises ValueError if its shape does not fit the number of classes.
    """
    if target.is_floating_point():
        if target.shape[1] != classes:
            raise ValueError(f"{target.shape[1]} maps for {classes} classes")
        return OneHotTarget(target.to(dtype), None, multiclass=False)
    if target.shape[1] != 1:
        raise ValueError(f"class numbers need one channel, not {target.shape[1]}")
    known = target != IGNORED
    numbers = rearrange(torch.where(known, target, 0), "b 1 h w -> b h w")
    maps = rearrange(F.one_hot(numbers, classes), "b h w c -> b c h w") * known
    return OneHotTarget(maps.to(dtype), known.to(dtype), multiclass=True)


def to_fp32(logits: Tensor) -> Tensor:
    """Return logits in at least float32, because half precision is too coarse for sums over all pixels."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def probabilities(logits: Tensor, multiclass: bool) -> Tensor:
    """Return the probabilities of logits (B, C, H, W): softmax for exclusive classes, else sigmoid."""
    return to_fp32(logits).softmax(dim=1) if multiclass else to_fp32(logits).sigmoid()


def mean_where(values: Tensor, known: Tensor | None) -> Tensor:
    """Return the mean of (B, C, H, W) over the known pixels; 0 if there are none."""
    if known is None:
        return values.mean()
    return (values * known).sum() / (known.sum() * values.shape[1]).clamp(min=1)
