"""The generator's losses besides the adversarial one: pixels in all phases, features in the adversarial one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from restore.core.dataset import Batch
from restore.core.training_step import Loss, Terms
from restore.plugins.common.inpainting.losses import compose
from restore.plugins.common.perceptual.perceptual import Perceptual
from restore.plugins.common.perceptual.style import Once, Style
from restore.plugins.common.weighted_losses import join_terms
from restore.plugins.inpaint_gan.settings import InpaintGANSettings


def reconstruction(loss: Loss, coarse: float, stages: Sequence[Tensor], batch: Batch) -> Terms:
    """Return the terms of the loss of pixels of each stage (B, 3, H, W), coarse to fine.

    Args:
        loss: the loss of pixels.
        coarse: weight of the stages before the last one, whose terms begin with ``coarse_``; 0 leaves them out.
        stages: what the generator returned.
        batch: the batch with its ``target`` and ``mask``.
    """
    terms = loss(stages[-1], batch)
    for stage in stages[:-1] if coarse else ():
        weighted = {f"coarse_{name}": coarse * value for name, value in loss(stage, batch).items()}
        terms = join_terms(terms, weighted, "next")
    return terms


def compute_feature_terms(
    settings: InpaintGANSettings,
    features: Callable[[Tensor], Mapping[str, Tensor]],
    image: Tensor,
    batch: Batch,
) -> Terms:
    """Return the terms ``perceptual`` and ``style`` that have a weight, computed on the composite image."""
    shared, filled = Once(features), compose(image, batch)
    terms: dict[str, Tensor] = {}
    if settings.perceptual.weight:
        terms |= Perceptual.from_settings(settings.perceptual, shared)(filled, batch)
    if settings.style.weight:
        terms |= Style.from_settings(settings.style, shared)(filled, batch)
    return terms
