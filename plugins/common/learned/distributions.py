"""Distances between two sets of features, such as those of generated images and of photographs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import torch
from torch import Tensor
from typing_extensions import override

from restore.plugins.common.metrics import PrecomputedMetric


class SetDistance(Protocol):
    """A result of two sets of features at once; each row contains the features (K) of an output and of its target."""

    @property
    def name(self) -> str:
        """Name of the metric."""
        ...

    @property
    def how(self) -> str:
        """What the convention says of it."""
        ...

    @property
    def better(self) -> Literal["higher", "lower"]:
        """Whether higher or lower values are better."""
        ...

    def reduce(self, rows: Tensor) -> float:
        """Return the result for rows (N, 2 K); NaN for fewer than two."""
        ...


@dataclass(frozen=True)
class FrechetDistance(PrecomputedMetric):
    """Fréchet distance of two normal distributions with the means and covariances of two sets of features.

    A row contains the features (K) of a generated image, then those of a target. The distance falls with the number of
    images, so compare only results for equally many. It is NaN for fewer than two images, which have no covariance.
    """

    name: str = "fid"
    convention: str = "Inception features of torch-fidelity"
    better: Literal["higher", "lower"] = "lower"
    how: ClassVar[str] = ""

    @override
    def reduce(self, rows: Tensor) -> float:
        """Return |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½), equation 6 of Heusel et al."""
        if len(rows) < 2:
            return float("nan")
        sets = rows.double().chunk(2, dim=1)
        means = [features.mean(0) for features in sets]
        # With C = XᵀX the trace of the root is the sum of the singular values of X1 X2ᵀ, which needs no K x K matrix.
        scaled = [(x - mean) / (len(rows) - 1) ** 0.5 for x, mean in zip(sets, means, strict=True)]
        spreads = [torch.linalg.qr(x, mode="r").R if len(x) > x.shape[1] else x for x in scaled]
        shared = torch.linalg.matrix_norm(spreads[0] @ spreads[1].T, "nuc")
        traces = sum(float(x.square().sum()) for x in spreads)
        return max(0.0, float((means[0] - means[1]).square().sum()) + traces - 2 * float(shared))


_AT_ONCE = 1024
"""Number of rows whose kernel is computed at once, so that memory grows with the number of images alone."""


@dataclass(frozen=True)
class KernelDistance:
    """Squared maximum mean discrepancy of two sets of features (KID; Binkowski et al., 2018), unbiased.

    The kernel is (x·y / K + 1)³. Every pair of images counts once; published code draws random subsets instead, whose
    mean is an estimate of the same number. Being unbiased, it does not fall with the number of images, and may be
    negative.
    """

    name: ClassVar[str] = "kid"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    how: ClassVar[str] = "cubic kernel, unbiased, all pairs"

    def reduce(self, rows: Tensor) -> float:
        """Return the distance; NaN for fewer than two images."""
        count = len(rows)
        if count < 2:
            return float("nan")
        x, y = rows.double().chunk(2, dim=1)
        within = [_sum_of_kernel(each, each) - float(_kernel_of_pairs(each, each).sum()) for each in (x, y)]
        return sum(within) / (count * (count - 1)) - 2 * _sum_of_kernel(x, y) / count**2


def _sum_of_kernel(x: Tensor, y: Tensor) -> float:
    parts = torch.split(x, _AT_ONCE)
    return sum(((part @ y.T / x.shape[1] + 1).pow(3).sum().item() for part in parts), start=0.0)


def _kernel_of_pairs(x: Tensor, y: Tensor) -> Tensor:
    return ((x * y).sum(1) / x.shape[1] + 1).pow(3)
