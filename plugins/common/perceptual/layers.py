"""Names of the layers of VGG networks. Imports no torch."""

from __future__ import annotations

from functools import cache
from typing import Literal

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
    """Shortest side in pixels of pictures of which a layer sees anything: each pooling up to it halves them.

    >>> smallest_side("vgg19", "relu5_4"), smallest_side("vgg16", "pool5"), smallest_side("vgg16", "conv1_1")
    (16, 32, 1)
    """
    names = layers_of(network)
    return 1 << sum(name.startswith("pool") for name in names[: names.index(layer) + 1])
