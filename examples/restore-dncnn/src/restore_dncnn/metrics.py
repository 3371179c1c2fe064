"""PSNR of the pixels on edges."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F


class EdgePSNR:
    """PSNR where the target differs from its right or lower neighbor by more than ``threshold``, white being 1."""

    name: ClassVar[str] = "edge-psnr"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def __init__(self, threshold: float = 0.1) -> None:
        self.threshold, self.convention = threshold, f"RGB, edges above {threshold:g}"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the sum of squared errors and the number of values on edges, (B, 2), float64."""
        padded = F.pad(target, (0, 1, 0, 1), mode="replicate")
        slopes = torch.maximum(padded.diff(dim=-1)[..., :-1, :].abs(), padded.diff(dim=-2)[..., :-1].abs())
        edges = (slopes.amax(1, keepdim=True) > self.threshold).double()
        errors = (prediction - target).double().square() * edges
        return torch.stack([errors.flatten(1).sum(1), edges.expand_as(errors).flatten(1).sum(1)], dim=1)

    def reduce(self, rows: Tensor) -> float:
        """Return the PSNR of all edges together, in dB, so that an image without edges does not count."""
        errors, count = rows.sum(0)
        return float(10 * torch.log10(count / errors))
