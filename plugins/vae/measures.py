"""Metrics of codes, which are no pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mean:
    """Numbers that the task works out for each picture: their sum, and its mean over pictures."""

    name: str
    convention: str
    better: Literal["higher", "lower"] = "higher"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - the signature of every metric
        """The numbers (B, K) of each picture, which stand in the prediction's place."""
        return prediction.double()

    def reduce(self, rows: Tensor) -> float:
        """Sum over K, mean over pictures."""
        return float(rows.sum(1).mean())


class ActiveUnits(Mean):
    """How many latent units depend on the picture (Burda et al., 2016, section 5.2); its numbers are `moments`."""

    def reduce(self, rows: Tensor) -> float:
        """Units whose posterior mean has a variance above 0.01, over places and pictures."""
        first, second = rows.mean(0).chunk(2)
        return float((second - first.square() > 0.01).sum())


def moments(means: Tensor) -> Tensor:
    """Mean and mean square of each unit over the places of a picture: (B, latent, h, w) to (B, 2 * latent)."""
    values = means.double().flatten(2)
    return torch.cat([values.mean(2), values.square().mean(2)], dim=1)
