"""Segmentation with one network, an ensemble, or test-time augmentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from restore import registry
from restore.core.errors import UsageError
from restore.core.weights.files import open_weights
from restore.core.weights.header import find_weights
from restore.plugins.common.images.resize import bilinear
from restore.plugins.unet.settings import ModelSettings, SegmentationSettings
from restore.plugins.unet.targets import probabilities

Predictor = Callable[[Tensor], Tensor]
"""Probabilities (B, classes, H, W) for images (B, C, H, W) in [0, 1]."""


def normalize(images: Tensor, model: ModelSettings) -> Tensor:
    """Normalize images (B, C, H, W) in [0, 1] by the mean and standard deviation of each channel."""
    mean, std = (images.new_tensor(values).view(1, -1, 1, 1) for values in model.normalization)
    return (images - mean) / std


@dataclass(frozen=True)
class NetworkPredictor:
    """One network as a `Predictor`."""

    network: nn.Module
    model: ModelSettings
    resize: bool
    """Whether images are resized to the training size."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return the probabilities of the last head, at the size of the images."""
        height, width = images.shape[-2:]
        if self.resize and self.model.size is not None:
            images = bilinear(images, self.model.size)
        logits = self.network(normalize(images, self.model))
        found = probabilities(logits[-1] if isinstance(logits, list) else logits, self.model.multiclass)
        return bilinear(found, (height, width)).clamp(0, 1)


def ensemble(predictors: Sequence[Predictor]) -> Predictor:
    """Return the mean of several predictors."""

    def predict(images: Tensor) -> Tensor:
        return torch.stack([predictor(images) for predictor in predictors]).mean(0)

    return predictors[0] if len(predictors) == 1 else predict


def tta(predictor: Predictor, views: Literal["none", "flips", "all"]) -> Predictor:
    """Return a predictor with test-time augmentation: the mean over 4 flipped or 8 flipped and rotated views."""
    if views == "none":
        return predictor
    quarters = (0, 2) if views == "flips" else (0, 1, 2, 3)

    def predict(images: Tensor) -> Tensor:
        total: Tensor | None = None
        for quarter in quarters:
            for mirrored in (False, True):
                seen = torch.rot90(images.flip(-1) if mirrored else images, quarter, (-2, -1))
                found = torch.rot90(predictor(seen), -quarter, (-2, -1))
                found = found.flip(-1) if mirrored else found
                total = found if total is None else total + found
        assert total is not None
        return total / (2 * len(quarters))

    return predict


def open_ensemble(paths: Sequence[Path], first: ModelSettings) -> list[NetworkPredictor]:
    """Open further weights that predict together with those of the model ``first``.

    Each network sees images as its own settings say. Raises UsageError for weights that do not segment, or that have
    other classes or input channels.
    """
    found = []
    for path in paths:
        task, modules = open_weights(find_weights(path), registry.get)
        if not isinstance(task.settings, SegmentationSettings):
            raise UsageError(f"--ensemble: {path} is not a segmentation model")
        model = task.settings.model
        if (model.classes, model.multiclass) != (first.classes, first.multiclass):
            raise UsageError(
                f"--ensemble: {path} has the classes {', '.join(model.classes or [])}, "
                f"but the first weights have {', '.join(first.classes or [])}"
            )
        if model.input_channels != first.input_channels:
            raise UsageError(f"--ensemble: {path} has {model.input_channels} input channels, unlike the first weights")
        found.append(NetworkPredictor(modules["segmenter"], model, resize=model.fit == "resize"))
    return found
