"""Learned perceptual image patch similarity."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from restore.core.errors import WeightsError
from restore.plugins.common.learned.network_metric import Layers, NetworkMetric, read_of_torchmetrics
from restore.plugins.common.learned.settings import PUBLISHED, Backbone

_BACKBONES: dict[Backbone, tuple[str, str, tuple[int, ...], int]] = {
    "alex": ("AlexNet", "alexnet", (1, 4, 7, 9, 11), 31),
    "squeeze": ("SqueezeNet", "squeezenet1_1", (1, 4, 7, 9, 10, 11, 12), 17),
    "vgg": ("VGG16", "vgg16", (3, 8, 15, 22, 29), 16),
}
"""For each network its name in words and in torchvision, the layers that are compared, and its smallest image."""
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Normalization of images in [-1, 1]."""
_TINY = 1e-10


class LPIPSNetwork(nn.Module):
    """Weighted distance between normalized features of two images (Zhang et al., 2018, equation 1; weights 0.1)."""

    shift: Tensor
    scale: Tensor

    def __init__(self, backbone: Backbone, weights: str = PUBLISHED) -> None:
        """Read a backbone, and the weights of its channels that torchmetrics ships. Raises as `Layers`."""
        super().__init__()
        _, network, wanted, _ = _BACKBONES[backbone]
        place = f"lpips_models/{backbone}.pth"
        tensors = read_of_torchmetrics(place, "lpips")  # before the backbone, which may be a long download
        try:
            self.channels = [tensors[f"lin{index}.model.1.weight"] for index in range(len(wanted))]
        except KeyError as error:
            raise WeightsError(f"{place} of torchmetrics has no tensor {error}, as version 1.9 has") from error
        self.layers = Layers(network, wanted, weights)
        self.register_buffer("shift", torch.tensor(_SHIFT).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE).view(3, 1, 1), persistent=False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distances (B,) of images (B, 3, H, W) in [0, 1]."""
        features = (self.layers((2 * image - 1 - self.shift) / self.scale) for image in (a, b))
        total = torch.zeros_like(a[:, 0, 0, 0])
        for one, other, weights in zip(*features, self.channels, strict=True):
            squares = (_unit_length(one) - _unit_length(other)).square()
            total = total + (squares * weights.to(squares)).sum(1).mean((1, 2))
        return total


def _unit_length(features: Tensor) -> Tensor:
    return features / (features.square().sum(1, keepdim=True).sqrt() + _TINY)


@lru_cache(maxsize=1)
def _open(backbone: Backbone, weights: str) -> LPIPSNetwork:
    return LPIPSNetwork(backbone, weights)


def build_lpips(network: Backbone = "alex", weights: str = PUBLISHED, border: int = 0) -> NetworkMetric:
    """Build the LPIPS of settings; see `LPIPSSettings`. Raises as `Layers`."""
    called, _, _, smallest = _BACKBONES[network]
    looks_through = called if weights == PUBLISHED else f"{called} of {weights}"
    return NetworkMetric(_open(network, weights), "lpips", looks_through, smallest, border)
