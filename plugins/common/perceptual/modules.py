"""The perceptual and the style loss as networks of their own, for tasks that choose losses by name."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from typing_extensions import override

from restore.core.dataset import Batch
from restore.core.training_step import Terms
from restore.plugins.common.perceptual.loss_settings import PerceptualLossSettings, StyleLossSettings
from restore.plugins.common.perceptual.perceptual import Perceptual
from restore.plugins.common.perceptual.style import Style
from restore.plugins.common.perceptual.weights import feature_network


class PerceptualLoss(nn.Module):
    """`Perceptual` with its network. Arguments are those of `PerceptualLossSettings`, resolved."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.settings = PerceptualLossSettings(**settings)
        self.features = feature_network(self.settings)

    @override
    def forward(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the term ``perceptual`` of images (B, 3, H, W) in [0, 1]."""
        return Perceptual(self.features, self.settings.layers, self.settings.criterion)(prediction, batch)


class StyleLoss(nn.Module):
    """`Style` with its network. Arguments are those of `StyleLossSettings`, resolved."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.settings = StyleLossSettings(**settings)
        self.features = feature_network(self.settings)

    @override
    def forward(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the term ``style`` of images (B, 3, H, W) in [0, 1]."""
        return Style(self.features, self.settings.layers)(prediction, batch)
