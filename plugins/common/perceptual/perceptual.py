"""A loss that compares what a classifier sees in two images."""

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

    The network is given, not owned: a task keeps it among its frozen networks, where the engine moves it.
    """

    features: Callable[[Tensor], Mapping[str, Tensor]]
    """Features by layer of images (B, 3, H, W) in [0, 1], such as a `VGGFeatures`."""
    layers: Mapping[str, float] = field(default_factory=lambda: {"relu5_4": 1.0})
    """Share of each layer."""
    criterion: Literal["l1", "mse"] = "mse"
    weight: float = 1.0
    target: str = "target"
    """Name of the target in the batch."""

    @classmethod
    def from_settings(
        cls, settings: PerceptualSettings, features: Callable[[Tensor], Mapping[str, Tensor]]
    ) -> Perceptual:
        """The loss that settings describe, looking through ``features``."""
        return cls(features, settings.layers, settings.criterion, settings.weight)

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Term ``perceptual``, a scalar; its gradient reaches the prediction alone."""
        return {"perceptual": self.weight * self.distance(prediction, batch[self.target])}

    def distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Weighted sum over the layers of the mean difference of features, of images (B, 3, H, W) in [0, 1]."""
        compare = _CRITERIA[self.criterion]
        with torch.no_grad():
            wanted = self.features(target)
        seen = self.features(prediction)
        terms = [share * compare(seen[layer], wanted[layer]) for layer, share in self.layers.items()]
        return torch.stack(terms).sum()
