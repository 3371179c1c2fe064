"""A loss that compares which features occur together in two images, wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.dataset import Batch
from restore.core.runtime.precision import at_least_float32
from restore.core.training_step import Terms
from restore.plugins.common.perceptual.settings import StyleSettings


def gram(features: Tensor) -> Tensor:
    """Gram matrices (B, C, C) of features (B, C, H, W), divided by C·H·W (Gatys et al., 2016; Liu et al., 2018).

    Sums over all places overflow or lose digits in half precision, so they are made in single precision at least.
    """
    with torch.autocast(features.device.type, enabled=False):
        flat = at_least_float32(features.flatten(2))
        return flat @ flat.transpose(1, 2) / features[0].numel()


@dataclass(frozen=True)
class Style:
    """Mean absolute difference between Gram matrices of the features of a prediction and of a target.

    The network is given, not owned: a task keeps it among its frozen networks, where the engine moves it.
    """

    features: Callable[[Tensor], Mapping[str, Tensor]]
    """Features by layer of images (B, 3, H, W) in [0, 1], such as a `VGGFeatures`."""
    layers: Mapping[str, float] = field(default_factory=lambda: {"pool1": 1.0, "pool2": 1.0, "pool3": 1.0})
    """Share of each layer."""
    weight: float = 1.0
    target: str = "target"
    """Name of the target in the batch."""

    @classmethod
    def from_settings(cls, settings: StyleSettings, features: Callable[[Tensor], Mapping[str, Tensor]]) -> Style:
        """Return the loss that the settings describe, with ``features`` as its network."""
        return cls(features, settings.layers, settings.weight)

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the term ``style``, a scalar; gradients flow only to the prediction."""
        return {"style": self.weight * self.distance(prediction, batch[self.target])}

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the weighted sum over layers of the mean difference of Gram matrices, for (B, 3, H, W) in [0, 1]."""
        with torch.no_grad():
            known = self.features(target)
            wanted = {layer: gram(known[layer]) for layer in self.layers}
        seen = self.features(prediction)
        terms = [share * F.l1_loss(gram(seen[layer]), wanted[layer]) for layer, share in self.layers.items()]
        return torch.stack(terms).sum()


class Once:
    """Computes features once per image tensor, so that several losses share one forward pass.

    Make a new one in each loss function, because it keeps what it has computed, and call it first for images without
    gradients.
    """

    def __init__(self, features: Callable[[Tensor], Mapping[str, Tensor]]) -> None:
        self._features = features
        self._seen: list[tuple[Tensor, Mapping[str, Tensor]]] = []

    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        """Return features by layer for images (B, 3, H, W) in [0, 1]."""
        for known, found in self._seen:
            if known is images:
                return found
        found = self._features(images)
        self._seen.append((images, found))
        return found
