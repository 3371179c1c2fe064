"""Compare a graph with the network that it was made of."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from restore.core.errors import NotExportable
from restore.core.graphs.formats import Session
from restore.core.graphs.tracing import Arguments, as_outputs, shorten

TOLERANCE = 1e-5
"""Largest difference between a graph and its network where values are in [-1, 1]; it grows with larger values."""


def compare(network: nn.Module, session: Session, examples: Iterable[Arguments]) -> float:
    """Return the largest difference between the outputs of a network and its graph.

    Raises NotExportable if a shape is another one, or a difference is larger than the tolerance.
    """
    largest = 0.0
    for inputs in examples:
        height, width = inputs[0].shape[-2:]
        with torch.no_grad():
            expected = as_outputs(network(*inputs))
        try:
            found = session(inputs)
        except Exception as error:
            raise NotExportable(
                f"its graph fails for an image of {width} x {height} pixels: {shorten(error)}"
            ) from error
        for wanted, given in zip(expected, found, strict=True):
            if wanted.shape != given.shape:
                raise NotExportable(
                    f"its graph makes {tuple(given.shape)} of an image of {width} x {height} pixels, its network "
                    f"{tuple(wanted.shape)}"
                )
            difference = float((wanted - given).abs().max())
            if not difference <= TOLERANCE * max(1.0, float(wanted.abs().max())):
                raise NotExportable(
                    f"its graph differs from its network by {difference:.2g} for an image of {width} x {height} pixels"
                )
            largest = max(largest, difference)
    return largest
