"""Perceptual loss: distance between the features of two images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.dataset import Batch
from restore.core.training_step import Terms
from restore.plugins.common.perceptual.settings import PerceptualSettings

_CRITERIA: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": F.l1_loss, "mse": F.mse_loss}


@dataclass(frozen=True)
class Perceptual:
    """Distance between the features of a prediction and of a target (Johnson et al., 2016; Ledig et al., 2017).

    The loss does not own the network: a task keeps it in its frozen networks, where the engine moves it.
    """

    features: Callable[[Tensor], Mapping[str, Tensor]]
    """Returns features by layer for images (B, 3, H, W) in [0, 1], such as `VGGFeatures`."""
    layers: Mapping[str, float] = field(default_factory=lambda: {"relu5_4": 1.0})
    """Weight of each layer."""
    criterion: Literal["l1", "mse"] = "mse"
    weight: float = 1.0
    target: str = "target"
    """Name of the target in the batch."""

    @classmethod
    def from_settings(
        cls, settings: PerceptualSettings, features: Callable[[Tensor], Mapping[str, Tensor]]
    ) -> Perceptual:
        """Return the loss that the settings describe, with ``features`` as its network."""
        return cls(features, settings.layers, settings.criterion, settings.weight)

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the term ``perceptual``, a scalar; gradients flow only to the prediction."""
        return {"perceptual": self.weight * self.distance(prediction, batch[self.target])}

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the weighted sum over layers of the mean feature difference, for images (B, 3, H, W) in [0, 1]."""
        compare = _CRITERIA[self.criterion]
        with torch.no_grad():
            wanted = self.features(target)
        seen = self.features(prediction)
        terms = [share * compare(seen[layer], wanted[layer]) for layer, share in self.layers.items()]
        return torch.stack(terms).sum()
