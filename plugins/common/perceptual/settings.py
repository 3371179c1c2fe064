"""Settings of the losses that several families share. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from restore.core.settings import Settings

Network = Literal["vgg16", "vgg19"]

_CONVOLUTIONS: dict[str, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""Convolutions of each of the five blocks (Simonyan and Zisserman, 2015, table 1, columns D and E)."""


@cache
def layers_of(network: Network) -> tuple[str, ...]:
    """Every layer in order, as ``conv1_1, relu1_1, …, pool5``: the position is torchvision's index in ``features``.

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
    """Shortest side in pixels of images of which a layer sees anything: each pooling up to it halves them.

    >>> smallest_side("vgg19", "relu5_4"), smallest_side("vgg16", "pool5"), smallest_side("vgg16", "conv1_1")
    (16, 32, 1)
    """
    names = layers_of(network)
    return 1 << sum(name.startswith("pool") for name in names[: names.index(layer) + 1])


class PerceptualSettings(Settings):
    """A loss between the features that a VGG network sees in two images."""

    weight: Annotated[float, Field(ge=0)] = 1.0
    """Factor of the loss."""
    network: Network = "vgg19"
    """Which network looks at the images."""
    layers: dict[str, Annotated[float, Field(gt=0)]] = {"relu5_4": 1.0}  # noqa: RUF012 - pydantic copies it
    """Layers that are compared, each with its share: relu5_4 is after the ReLU, conv5_4 before it."""
    criterion: Literal["l1", "mse"] = "mse"
    """How features are compared: mean absolute or mean squared difference."""
    weights: str = "auto"
    """Features: imagenet (torchvision's file, downloaded once), random (a fixed seed), the path of a file, or auto:
    torchvision's file where it is already on this machine, else random."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Checksum of the features' file, noted when a run starts; a resumed run stops if the file is another."""

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        check_layers(self.network, self.layers)
        return self


class StyleSettings(Settings):
    """A loss between the Gram matrices of features: which of them occur together, wherever they are."""

    weight: Annotated[float, Field(ge=0)] = 120.0
    """Factor of the loss; 0 leaves it out."""
    layers: dict[str, Annotated[float, Field(gt=0)]] = {"pool1": 1.0, "pool2": 1.0, "pool3": 1.0}  # noqa: RUF012
    """Layers whose Gram matrices are compared, each with its share."""


def check_layers(network: Network, layers: Mapping[str, float], name: str = "layers") -> None:
    """Raise ValueError, which calls the setting ``name``, unless there are layers and the network has all of them."""
    if not layers:
        raise ValueError(f"{name}: name at least one layer")
    for layer in layers:
        if layer not in layers_of(network):
            raise ValueError(f"{name}: {network} has no {layer!r}; it has {', '.join(layers_of(network))}")


def check_side(side: int, name: str, perceptual: PerceptualSettings, style: StyleSettings | None = None) -> None:
    """Raise ValueError where images of ``side`` pixels are too small for a layer that a loss with a weight looks at.

    ``name`` is that of the setting which says the side. The style loss looks through the network of the perceptual one.
    """
    for layer in layers_in_use(perceptual, style):
        least = smallest_side(perceptual.network, layer)
        if side < least:
            raise ValueError(
                f"{name} ({side}): {layer} of {perceptual.network} sees nothing of images of fewer than {least} "
                "pixels a side; raise it, or let the losses between features look at earlier layers"
            )


def layers_in_use(perceptual: PerceptualSettings, style: StyleSettings | None = None) -> tuple[str, ...]:
    """Layers that a loss with a weight looks at, each once."""
    losses = [loss for loss in (perceptual, style) if loss is not None and loss.weight]
    return tuple(dict.fromkeys(layer for loss in losses for layer in loss.layers))
