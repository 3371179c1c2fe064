"""The convolutional part of VGG networks, as a feature extractor."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from restore.plugins.common.images.statistics import IMAGENET_MEAN, IMAGENET_STD
from restore.plugins.common.perceptual.settings import Network, layers_of

_CHANNELS = (64, 128, 256, 512, 512)


class VGGFeatures(nn.Module):
    """Returns the outputs of chosen layers of a VGG network (Simonyan and Zisserman, 2015).

    Layers after the deepest chosen one are not built. Parameters have torchvision's names (``features.0.weight``) and
    are drawn from a fixed seed, so an untrained network is the same everywhere.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: Network = "vgg19", layers: Iterable[str] = ("relu5_4",)) -> None:
        super().__init__()
        names = layers_of(network)
        self.wanted = {names.index(layer): layer for layer in layers}
        self.features = nn.Sequential(*_build(names[: max(self.wanted) + 1])).to_empty(device="cpu")
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)
        self._draw_parameters(torch.Generator().manual_seed(0))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return features by layer for images (B, 3, H, W) in [0, 1], which are normalized with ImageNet's statistics.

        A layer of block n returns (B, C, H / 2^(n - 1), W / 2^(n - 1)).
        """
        found = {}
        x = (images - self.mean) / self.deviation
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.wanted:
                found[self.wanted[index]] = x
        return found

    def _draw_parameters(self, generator: torch.Generator) -> None:
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:  # keeps the variance of the features from layer to layer, as training would
                nn.init.kaiming_normal_(parameter, mode="fan_in", nonlinearity="relu", generator=generator)


def _build(names: Iterable[str]) -> list[nn.Module]:
    """Build layers without memory: drawing parameters that are drawn again would move the global generator."""
    layers: list[nn.Module] = []
    channels = 3
    for name in names:
        if name.startswith("conv"):
            width = _CHANNELS[int(name[4]) - 1]
            layers.append(nn.Conv2d(channels, width, 3, padding=1, device="meta"))
            channels = width
        elif name.startswith("relu"):
            layers.append(nn.ReLU())  # not in place: the convolution before it may be a wanted layer
        else:
            layers.append(nn.MaxPool2d(2))
    return layers
