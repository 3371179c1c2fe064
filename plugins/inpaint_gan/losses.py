"""The generator's losses besides the adversarial one: pixels in all phases, features in the adversarial one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from restore.core.dataset import Batch
from restore.core.training_step import Terms
from restore.plugins.common.inpainting.losses import (
    DiscountedL1,
    MaskedL1,
    MaskedMSE,
    MaskedTotalVariation,
    composed,
)
from restore.plugins.common.perceptual.perceptual import Perceptual
from restore.plugins.common.perceptual.style import Once, Style
from restore.plugins.inpaint_gan.settings import InpaintGANSettings, PixelSettings


def reconstruction(settings: PixelSettings, stages: Sequence[Tensor], batch: Batch) -> Terms:
    """Return the pixel terms of each stage (B, 3, H, W), coarse to fine, and the total variation of the last."""
    terms = _compare(settings, stages[-1], batch)
    if settings.coarse:
        for stage in stages[:-1]:
            of_stage = _compare(settings, stage, batch)
            terms |= {f"coarse_{name}": settings.coarse * value for name, value in of_stage.items()}
    if settings.variation:
        terms |= MaskedTotalVariation(settings.variation)(stages[-1], batch)
    return terms


def _compare(settings: PixelSettings, image: Tensor, batch: Batch) -> dict[str, Tensor]:
    if settings.loss == "mse":
        return dict(MaskedMSE(settings.hole, settings.known)(image, batch))
    if settings.discount is None:
        return dict(MaskedL1(settings.hole, settings.known)(image, batch))
    outside = MaskedL1(0, settings.known)(image, batch)
    return {**DiscountedL1(settings.hole, settings.discount)(image, batch), **outside}


def seen_features(
    settings: InpaintGANSettings,
    features: Callable[[Tensor], Mapping[str, Tensor]],
    image: Tensor,
    batch: Batch,
) -> Terms:
    """Return the terms ``perceptual`` and ``style`` that have a weight, computed on the composite image."""
    shared, filled = Once(features), composed(image, batch)
    terms: dict[str, Tensor] = {}
    if settings.perceptual.weight:
        terms |= Perceptual.from_settings(settings.perceptual, shared)(filled, batch)
    if settings.style.weight:
        terms |= Style.from_settings(settings.style, shared)(filled, batch)
    return terms
