"""Settings of the perceptual and the style loss. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from restore.core.settings import OrPath, Settings

Network = Literal["vgg16", "vgg19"]

_CONVOLUTIONS: dict[str, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""Convolutions of each of the five blocks (Simonyan and Zisserman, 2015, table 1, columns D and E)."""


@cache
def layers_of(network: Network) -> tuple[str, ...]:
    """Return all layers in order (``conv1_1, relu1_1, …, pool5``); the index is torchvision's index in ``features``.

    >>> layers_of("vgg19")[35], layers_of("vgg16").index("relu5_3")
    ('relu5_4', 29)
    """
    names: list[str] = []
    for block, convolutions in enumerate(_CONVOLUTIONS[network], start=1):
        for convolution in range(1, convolutions + 1):
            names += [f"conv{block}_{convolution}", f"relu{block}_{convolution}"]
        names.append(f"pool{block}")
    return tuple(names)


def smallest_side(network: Network, layer: str) -> int:
    """Return the shortest image side in pixels for which a layer has an output: each pooling layer halves it.

    >>> smallest_side("vgg19", "relu5_4"), smallest_side("vgg16", "pool5"), smallest_side("vgg16", "conv1_1")
    (16, 32, 1)
    """
    names = layers_of(network)
    return 1 << sum(name.startswith("pool") for name in names[: names.index(layer) + 1])


class FeatureNetworkSettings(Settings):
    """A network of features, and which of them a loss compares."""

    network: Network = "vgg19"
    """Network that computes the features."""
    layers: dict[str, Annotated[float, Field(gt=0)]] = {"relu5_4": 1.0}  # noqa: RUF012 - pydantic copies it
    """Layers to compare, each with its weight: relu5_4 is after the ReLU, conv5_4 before it."""
    weights: Annotated[str, OrPath(("auto", "imagenet", "random"))] = "auto"
    """Weights of the network: imagenet (torchvision's file, downloaded once), random (fixed seed), the path of a file,
    or auto: torchvision's file if it is already on this machine, else random."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """SHA-256 of the weights file, recorded when a run starts; a resumed run stops if the file has changed."""

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        check_layers(self.network, self.layers)
        return self


class PerceptualSettings(FeatureNetworkSettings):
    """A loss between the VGG features of two images."""

    weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the loss."""
    criterion: Literal["l1", "mse"] = "mse"
    """Distance between features: mean absolute or mean squared difference."""


class StyleSettings(Settings):
    """A loss between the Gram matrices of VGG features, that is, between their correlations over the image."""

    weight: Annotated[float, Field(ge=0)] = 120.0
    """Weight of the loss; 0 disables it."""
    layers: dict[str, Annotated[float, Field(gt=0)]] = {"pool1": 1.0, "pool2": 1.0, "pool3": 1.0}  # noqa: RUF012
    """Layers whose Gram matrices are compared, each with its weight."""


def check_layers(network: Network, layers: Mapping[str, float], name: str = "layers") -> None:
    """Raise ValueError if the setting ``name`` is empty or names a layer that the network does not have."""
    if not layers:
        raise ValueError(f"{name} is empty; name at least one layer")
    for layer in layers:
        if layer not in layers_of(network):
            raise ValueError(f"{name}: {network} has no layer {layer!r}; available: {', '.join(layers_of(network))}")


def check_side(side: int, name: str, perceptual: PerceptualSettings, style: StyleSettings | None = None) -> None:
    """Raise ValueError if images of ``side`` pixels are too small for a layer that a loss uses.

    Args:
        side: Side of the images in pixels.
        name: The setting that determines the side, for the message.
        perceptual: The perceptual loss.
        style: The style loss, which uses the network of the perceptual loss.
    """
    for layer in layers_in_use(perceptual, style):
        least = smallest_side(perceptual.network, layer)
        if side < least:
            raise ValueError(
                f"{name}={side}: layer {layer} of {perceptual.network} needs at least {least} pixels a side; "
                f"raise {name}, or use earlier layers in the perceptual and style losses"
            )


def layers_in_use(perceptual: PerceptualSettings, style: StyleSettings | None = None) -> tuple[str, ...]:
    """Return the layers used by losses with a weight above 0, without duplicates."""
    losses = [loss for loss in (perceptual, style) if loss is not None and loss.weight]
    return tuple(dict.fromkeys(layer for loss in losses for layer in loss.layers))
