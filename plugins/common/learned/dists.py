"""Deep image structure and texture similarity."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from restore.core.errors import WeightsError
from restore.plugins.common.images.statistics import IMAGENET_MEAN, IMAGENET_STD
from restore.plugins.common.learned.network_metric import Layers, NetworkMetric, read_of_torchmetrics
from restore.plugins.common.learned.settings import PUBLISHED

_WANTED = (3, 8, 15, 22, 29)
"""The last activations of the five stages of VGG16."""
_STABILITY = 1e-6
"""The constants c1 and c2 of equation 2."""
_PLACE = "dists_models/weights.pt"


class _SmoothPooling(nn.Module):
    """Halves features by the root of Hann-weighted means of squares over 3x3 pixels, with zeros outside."""

    @override
    def forward(self, features: Tensor) -> Tensor:
        slope = features.new_tensor([0.25, 0.5, 0.25])
        weights = (slope[:, None] * slope).expand(features.shape[1], 1, 3, 3)
        means = F.conv2d(features.square(), weights, stride=2, padding=1, groups=features.shape[1])
        return (means + 1e-12).sqrt()


class DISTSNetwork(nn.Module):
    """One minus the weighted similarities of texture and structure of VGG16 features (Ding et al., 2020, eq. 5)."""

    texture: Tensor
    structure: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, weights: str = PUBLISHED) -> None:
        """Read VGG16, and the weights of its channels that torchmetrics ships. Raises as `Layers`."""
        super().__init__()
        tensors = read_of_torchmetrics(_PLACE, "dists")
        try:
            texture, structure = tensors["alpha"].flatten(), tensors["beta"].flatten()
        except KeyError as error:
            raise WeightsError(f"{_PLACE} of torchmetrics has no tensor {error}, as version 1.9 has") from error
        total = texture.sum() + structure.sum()
        self.layers = Layers("vgg16", _WANTED, weights)
        for index, layer in enumerate(self.layers.features):
            if isinstance(layer, nn.MaxPool2d):
                self.layers.features[index] = _SmoothPooling()
        self.register_buffer("texture", texture / total, persistent=False)
        self.register_buffer("structure", structure / total, persistent=False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)

    @override
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distances (B,) of images (B, 3, H, W) in [0, 1]."""
        features = ([image, *self.layers((image - self.mean) / self.deviation)] for image in (a, b))
        textures, structures = [], []
        for one, other in zip(*features, strict=True):
            x, y = one.mean((2, 3)), other.mean((2, 3))
            spreads = [(each - each.mean((2, 3), keepdim=True)).square().mean((2, 3)) for each in (one, other)]
            shared = (one * other).mean((2, 3)) - x * y
            textures.append((2 * x * y + _STABILITY) / (x.square() + y.square() + _STABILITY))
            structures.append((2 * shared + _STABILITY) / (spreads[0] + spreads[1] + _STABILITY))
        similarity = (torch.cat(textures, 1) * self.texture + torch.cat(structures, 1) * self.structure).sum(1)
        return 1 - similarity


@lru_cache(maxsize=1)
def _open(weights: str) -> DISTSNetwork:
    return DISTSNetwork(weights)


def build_dists(weights: str = PUBLISHED, border: int = 0) -> NetworkMetric:
    """Build the DISTS of settings; see `DISTSSettings`. Raises as `Layers`."""
    looks_through = "VGG16" if weights == PUBLISHED else f"VGG16 of {weights}"
    return NetworkMetric(_open(weights), "dists", looks_through, 16, border)
