"""The composite loss of LBAM's generator (Xie et al., 2019, section 3.4), without the adversarial term."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from restore.core.dataset import Batch
from restore.core.training_step import Loss, Terms
from restore.plugins.common.inpainting.losses import MaskedTotalVariation, compose
from restore.plugins.common.perceptual.perceptual import Perceptual
from restore.plugins.common.perceptual.style import Once, Style
from restore.plugins.common.perceptual.vgg import VGGFeatures
from restore.plugins.common.weighted_losses import join_terms
from restore.plugins.lbam.settings import LBAMSettings

Features = Callable[[Tensor], Mapping[str, Tensor]]


@dataclass(frozen=True)
class CompositeLoss:
    """Loss of pixels, perceptual loss, style loss, and total variation of the hole.

    The perceptual and the style loss are computed twice: on the generator's whole output and on the *composite*, the
    output inside the hole with the target outside it. Terms of weight zero are left out.
    """

    settings: LBAMSettings
    pixels: Loss
    """Loss of pixels; as published, `MaskedL1`."""
    features: Features | None
    """Features of the perceptual and the style loss; None disables both."""

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the terms of an output (B, 3, H, W) in [0, 1] for a batch with ``target`` and ``mask`` (1 inside the
        hole)."""
        chosen = self.settings
        terms = self.pixels(prediction, batch)
        if self.features is not None:
            terms = join_terms(terms, self._compare_features(prediction, batch, self.features), "features")
        if chosen.total_variation:
            terms = join_terms(terms, MaskedTotalVariation(chosen.total_variation)(prediction, batch), "hole")
        return terms

    def _compare_features(self, prediction: Tensor, batch: Batch, features: Features) -> Terms:
        prediction, mask, target = window(self.settings.perceptual.window, prediction, batch["mask"], batch["target"])
        composite = compose(prediction, {"mask": mask, "target": target})
        look = Once(features)
        terms = {}
        for name, loss in (
            ("perceptual", Perceptual.from_settings(self.settings.perceptual, look)),
            ("style", Style.from_settings(self.settings.style, look)),
        ):
            if loss.weight:
                terms[name] = loss.weight * (loss.distance(prediction, target) + loss.distance(composite, target))
        return terms


def window(side: int | None, *planes: Tensor) -> list[Tensor]:
    """Crop all planes (B, C, H, W) to the same random square of at most ``side`` pixels; None returns them whole.

    The position is drawn from torch's global generator.
    """
    height, width = planes[0].shape[-2:]
    rows, columns = (min(length, side or length) for length in (height, width))
    top, left = int(torch.randint(height - rows + 1, ())), int(torch.randint(width - columns + 1, ()))
    return [plane[..., top : top + rows, left : left + columns] for plane in planes]


def wrap_features(network: VGGFeatures, *, normalize: bool) -> Features:
    """Return the network's features, with or without its normalization by ImageNet's mean and standard deviation."""
    if normalize:
        return network

    def bare(images: Tensor) -> Mapping[str, Tensor]:
        features: Mapping[str, Tensor] = network(images * network.deviation + network.mean)
        return features

    return bare
