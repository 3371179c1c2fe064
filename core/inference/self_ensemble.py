"""Geometric self-ensemble: average a method over flips and turns of its inputs (Lim et al., 2017)."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import TypeVar

from torch import Tensor

from restore.core.dataset import Batch
from restore.core.errors import UsageError
from restore.core.inference.predictor import Predictor
from restore.core.networks import Networks

P = TypeVar("P", bound=Predictor)

VIEWS = tuple((mirrored, turns) for mirrored in (False, True) for turns in range(4))
"""The eight symmetries of a square: whether an image is mirrored, then its quarter turns."""


def add_self_ensemble(method: P) -> P:
    """Return a copy of a method that predicts the mean over all eight flips and turns, in eight times the time.

    Each tile is averaged, so tiles and bands stay what they are. Raises UsageError if the method is not `equivariant`.
    """
    if not method.equivariant:
        raise UsageError(
            "--self-ensemble: this model is not made for flipped and turned images, so their results are not averaged; "
            "leave it out"
        )
    averaging = copy(method)
    averaging.predict = partial(_predict_mean, method)  # type: ignore[method-assign]
    return averaging


def _predict_mean(method: Predictor, batch: Batch, networks: Networks) -> Batch:
    """Predict every view of a batch, turn the outputs back, and return their means."""
    sums: dict[str, Tensor] = {}
    for mirrored, turns in VIEWS:
        seen = {name: view(batch[name], mirrored, turns) for name in method.inputs}
        for name, found in method.predict(seen, networks).items():
            back = view_back(found, mirrored, turns)
            sums[name] = sums[name] + back if name in sums else back
    return {name: total / len(VIEWS) for name, total in sums.items()}


def view(images: Tensor, mirrored: bool, turns: int) -> Tensor:
    """Mirror images (..., H, W) left to right if asked for, then turn them by quarters, counterclockwise."""
    return (images.flip(-1) if mirrored else images).rot90(turns, (-2, -1)).contiguous()


def view_back(images: Tensor, mirrored: bool, turns: int) -> Tensor:
    """Undo `view`."""
    turned = images.rot90(-turns, (-2, -1))
    return turned.flip(-1) if mirrored else turned
