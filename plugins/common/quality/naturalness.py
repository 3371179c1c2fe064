"""Whether an output looks like a natural photograph, whatever its target is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal

import torch
from safetensors import safe_open
from torch import Tensor
from typing_extensions import override

from restore.core.images.pixels import luma, to_levels
from restore.core.metrics import NoReferenceMetric
from restore.core.runtime.devices import in_float64
from restore.plugins.common.quality.scene_statistics import SIDE, measure_patches
from restore.plugins.common.quality.sized import SizedImageMetric

MODEL = Path(__file__).parent / "models" / "niqe.safetensors"
"""Mean and covariance of the features of patches of photographs; ``tools/fit_niqe.py`` wrote it."""
LEAST_PATCHES = 4
"""Patches without which an image has no covariance worth the name: two by two."""


@dataclass(frozen=True)
class NIQE(NoReferenceMetric, SizedImageMetric):
    """Distance from the statistics of natural photographs (Mittal et al., 2013, equation 10); 0 is natural.

    The model is our own, so values cannot be compared with those of papers. Of the luma (BT.601, 0 to 255) of the 8-bit
    image, patches of 96x96 pixels lie side by side; what is left at the right and at the bottom is not used. Products
    of neighbors stay inside their patch. Patches without any variation do not count.
    """

    border: int = 0
    """Pixels cropped from each side."""
    name: ClassVar[str] = "niqe-restore"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    @property
    def convention(self) -> str:
        """The model, and what is looked at."""
        border = f", border {self.border}" if self.border else ""
        return f"{load_model().label}, luma 0-255 of 8-bit RGB{border}"

    @property
    @override
    def least_side(self) -> int:
        return 2 * SIDE + 2 * self.border

    @override
    def values(self, prediction: Tensor, target: Tensor) -> Tensor:
        cut = self.border
        inside = prediction[..., cut : prediction.shape[-2] - cut, cut : prediction.shape[-1] - cut]
        images = to_levels(in_float64(inside)) / 255
        gray = images if images.shape[1] == 1 else luma(images)
        return torch.stack([_measure(255 * image[0]) for image in gray])


def _measure(image: Tensor) -> Tensor:
    """Return the distance of one image (H, W) from the model; infinite if it has no variation at all."""
    features, _ = measure_patches(image)
    features = features[features.isfinite().all(1)]
    if len(features) < 2:
        return image.new_tensor(torch.inf)
    model = load_model()
    mean, covariance = model.mean.to(image), model.covariance.to(image)
    difference = features.mean(0) - mean
    pooled = (features.T.cov() + covariance) / 2
    distance: Tensor = (difference @ torch.linalg.solve(pooled, difference)).sqrt()
    return distance


@dataclass(frozen=True)
class SceneModel:
    """What patches of natural photographs are like."""

    mean: Tensor
    """Of the features, (36,), float64."""
    covariance: Tensor
    """Of the features, (36, 36), float64."""
    label: str
    """The model in words, for conventions."""


@lru_cache(maxsize=1)
def load_model() -> SceneModel:
    """Return the model that ships with the package."""
    with safe_open(str(MODEL), framework="pt") as file:
        about = json.loads(file.metadata()["restore"])
        return SceneModel(file.get_tensor("mean"), file.get_tensor("covariance"), about["label"])
