"""Segmentation targets in one form, for overlapping classes and for class numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from restore.plugins.unet.data.discovery import IGNORED


@dataclass(frozen=True)
class OneHotTarget:
    """One map for each class."""

    maps: Tensor
    """(B, C, H, W), 1 where the class is and 0 elsewhere, also where nothing is known."""
    known: Tensor | None
    """(B, 1, H, W), 1 where something is known; None: everywhere."""
    multiclass: bool
    """Whether every pixel has exactly one class."""


def one_hot_target(target: Tensor, classes: int, dtype: torch.dtype) -> OneHotTarget:
    """Read a target: floating maps (B, C, H, W) of classes that may overlap, or class numbers (B, 1, H, W) int64.

    Raises ValueError where its shape does not fit the number of classes.
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
    """Logits in at least float32: sums over all pixels of an image are not for half precision."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def probabilities(logits: Tensor, multiclass: bool) -> Tensor:
    """Logits (B, C, H, W) as probabilities: over the classes where they exclude each other, each for itself if not."""
    return to_fp32(logits).softmax(dim=1) if multiclass else to_fp32(logits).sigmoid()


def mean_where(values: Tensor, known: Tensor | None) -> Tensor:
    """Mean of (B, C, H, W) over the known pixels; 0 where there are none."""
    if known is None:
        return values.mean()
    return (values * known).sum() / (known.sum() * values.shape[1]).clamp(min=1)
