"""Metrics of latent codes."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from restore.core.runtime.devices import in_float64
from restore.plugins.common.metrics import PrecomputedMetric


class ActiveUnits(PrecomputedMetric):
    """Number of latent units that depend on the image (Burda et al., 2016, section 5.2); measures `moments`."""

    @override
    def reduce(self, rows: Tensor) -> float:
        """Return the number of units whose posterior mean has a variance above 0.01 over positions and images."""
        first, second = rows.mean(0).chunk(2)
        return float((second - first.square() > 0.01).sum())


def moments(means: Tensor) -> Tensor:
    """Return mean and mean square of each unit over positions: (B, latent, h, w) to (B, 2 * latent)."""
    values = in_float64(means).flatten(2)
    return torch.cat([values.mean(2), values.square().mean(2)], dim=1)
